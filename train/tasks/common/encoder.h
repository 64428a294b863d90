// From the choices of a run with a BERT in it to its texts and its model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/text/labeled_text.h"
#include "data/text/sequences.h"
#include "nn/models/bert.h"
#include "train/tasks/common/encoder_config.h"

namespace weft::train {

/// The fields that all runs with a BERT share.
Fields encoder_fields();
/// Of BertChoices.
Fields bert_fields();
/// Rules that all of them have. Throws ConfigError.
void check_encoder(const EncoderConfig& config);

/// `n_class` as in nn::BertConfig; with a token head a classifier can be pretrained too.
nn::BertConfig bert_config(const EncoderConfig& config, std::int64_t vocabulary,
                           std::int64_t n_class, bool token_head);
std::shared_ptr<const data::WordTokenizer> make_tokenizer(const EncoderConfig& config,
                                                          const std::string& text,
                                                          const std::string& where);
/// Of a batch of texts as long as the context, in shapes alone (train/tasks/common/sketch.h).
Tensor sketched_masked_loss(const nn::Bert& model, const EncoderConfig& config, std::int64_t batch);

/// Sequences of tokens, a list a split.
struct EncoderData {
  std::shared_ptr<const data::WordTokenizer> tokenizer;
  std::vector<data::Sequence> sequences[3];
  std::vector<std::string> notes;  ///< what whoever trains on them should know
  std::uint64_t fingerprint() const;
  std::int64_t tokens(data::Split split) const;

  /// Adds these examples' texts to a split's sequences, cut to the context; `cut` counts those that
  /// were.
  struct Cut {
    std::int64_t texts = 0, of = 0, longest = 0;
  };
  void add(data::Split split, const std::vector<data::LabeledText>& examples, std::int64_t context,
           const std::string& where, Cut& cut);
  void note_cut(const Cut& cut, std::int64_t context, const std::string& where);
};
/// A `.tsv` or `.csv` file's texts, one sequence each, by its splits; any other text in windows,
/// the first nine tenths to train on, the last `test_share` of the rest as a test split. `whole`:
/// all is the validation split.
EncoderData load_encoder_data(const EncoderConfig& config,
                              std::shared_ptr<const data::WordTokenizer> tokenizer = nullptr,
                              bool whole = false, double test_share = 0);

/// Cross-entropy of the hidden tokens, mean or sum over them.
Tensor masked_loss(const nn::Bert& model, const data::MaskedBatch& batch, bool sum = false,
                   std::int64_t* right = nullptr);
/// Batch k's masks: a stream of their own each.
data::MaskedBatch mask_batch(const EncoderConfig& config, const data::WordTokenizer& tokenizer,
                             const Tensor& ids, std::uint64_t seed, std::int64_t k);

}  // namespace weft::train
