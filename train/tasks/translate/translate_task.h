// Writing a text to a text: training, evaluation, and a trained model in use.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/text/sequences.h"
#include "data/text/text_pairs.h"
#include "data/text/tokenizer.h"
#include "nn/models/encoder_decoder.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/translate/translate_config.h"

namespace weft::train {

/// The characters of all texts, then two signs: where a target starts, and where it ends.
struct TranslateVocabulary {
  std::shared_ptr<const data::Tokenizer> tokenizer;

  std::int64_t start() const { return tokenizer->vocab_size(); }
  std::int64_t end() const { return tokenizer->vocab_size() + 1; }
  std::int64_t size() const { return tokenizer->vocab_size() + 2; }
};

struct TranslateData {
  TranslateVocabulary vocabulary;
  std::vector<data::Sequence> sources[3],
      targets[3];  ///< by split; a target ends with the sign of it
  std::vector<std::int64_t> target_bytes[3];
  std::vector<std::string> notes;  ///< pairs and columns that were left out
};
/// Throws IoError; ConfigError where texts are longer than the context and not to be skipped, and
/// where all training targets are one. `known`: as Kind::prepare().
TranslateData load_translate_data(const TranslateConfig& config, const Known& known = {});

nn::EncoderDecoderConfig encoder_decoder_config(const TranslateConfig& config,
                                                std::int64_t vocabulary);

class TranslateTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  TranslateTask(const TranslateConfig& config, TranslateData data);

  nn::Module& model() override { return model_; }
  std::string unit() const override { return "pairs"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(BatchRecord& seen) override;
  /// Loss of a token of the target given those before it, the sign at its end counted; accuracy of
  /// the likeliest.
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  bool samples() const override { return sample_.size() < data_.sources[1].size(); }
  Evaluation evaluate_sample(const std::function<bool(double)>& proceed) override {
    return measure(data::Split::validation, sample_, proceed);
  }
  bool whole_at_end() const override { return config_.whole_at_end; }
  double chance_loss() const override;
  std::string data_json() const override { return data_.vocabulary.tokenizer->to_json(); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  /// source (B, S), padding (B, S) u8, inputs and targets (B, T).
  struct Batch {
    Tensor source, padding, inputs, targets;
  };
  Batch batch_of(data::Split split, const std::vector<std::int64_t>& rows) const;
  Evaluation measure(data::Split split, const std::vector<std::int64_t>& pairs,
                     const std::function<bool(double)>& proceed);

  TranslateConfig config_;
  TranslateData data_;
  nn::EncoderDecoder model_;
  data::EpochOrder order_;
  std::vector<std::int64_t> sample_;  ///< of the validation pairs, those that evaluations look at
  std::string fingerprint_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
