#include "train/tasks/common/encoder.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/softmax.h"
#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "core/storage.h"
#include "data/find_data_set.h"
#include "data/text/utf8.h"
#include "nn/check.h"
#include "train/tasks/common/sketch.h"
#include "train/tasks/common/whole_data.h"

namespace weft::train {
namespace {

constexpr std::int64_t kMaxPretrainBytes = std::int64_t{1} << 31;
constexpr double kPretrainFraction = 0.9;  // of a text without labels

std::vector<std::int64_t> hidden_positions(const Tensor& targets) {
  std::vector<std::int64_t> positions;
  const auto* t = targets.data<std::int64_t>();
  for (std::int64_t i = 0; i < targets.numel(); ++i)
    if (t[i] != data::kIgnoreIndex) positions.push_back(i);
  return positions;
}

}  // namespace

EncoderConfig::EncoderConfig(const Registry& models) : RunConfig(models) {
  batch = 32;
  lr = 5e-4;
  optimizer.begin_with({{"beta2", 0.999}});
  weight_decay = 0.01;
  schedule = "linear";
  final_lr = 0;
}

Fields encoder_fields() {
  const auto no_pieces = [](const EncoderConfig& c) {
    return c.tokenizer == "words" ? "tokenizer words, whose words have no pieces" : "";
  };
  return {
      {"tokenizer",
       "Tokens",
       &EncoderConfig::tokenizer,
       "what a token is: a word, or a word or its pieces",
       0,
       0,
       {"pieces", "words"}},
      {"vocabulary", "Tokens", &EncoderConfig::vocabulary,
       "vocabulary size at most, [PAD] [UNK] [CLS] [SEP] [MASK] included", 6, 1e7},
      {"lowercase", "Tokens", &EncoderConfig::lowercase, "convert the text to lowercase"},
      {"context", "Tokens", &EncoderConfig::context,
       "tokens that the model sees at once, [CLS] and [SEP] included; longer texts are truncated",
       3, 1e6},
      {"mask_share", "Tokens", &EncoderConfig::mask_share, "fraction of the tokens to predict",
       kTiny, 1},
      Field{"whole_words", "Tokens", &EncoderConfig::whole_words,
            "mask all pieces of a word together (whole-word masking)"}
          .idle_where<EncoderConfig>(no_pieces),
  };
}

Fields bert_fields() {
  using C = BertChoices;
  return {
      {"layers", "Model", &C::layers, "layers of the encoder", 1, 10000},
      {"heads", "Model", &C::heads, "attention heads", 1, 10000},
      {"width", "Model", &C::width, "size of the vector that represents a token", 1, 1000000},
      {"mlp_ratio", "Model", &C::mlp_ratio, "feed-forward size, as a multiple of width", 0.01,
       1000},
      {"dropout", "Model", &C::dropout, "dropout: fraction of activations dropped in training", 0,
       0.99},
      {"init_std", "Model", &C::init_std, "standard deviation of the initial weights", 0, 100},
  };
}

void check_encoder(const EncoderConfig& c) {
  check_common(c);
  check_warmup(c, c.steps);
}

nn::BertConfig bert_config(const EncoderConfig& c, std::int64_t vocabulary, std::int64_t n_class,
                           bool token_head) {
  const auto& o = c.model.as<BertChoices>();
  return {.vocab_size = vocabulary,
          .block_size = c.context,
          .n_layer = o.layers,
          .n_head = o.heads,
          .n_embd = o.width,
          .mlp_ratio = o.mlp_ratio,
          .dropout = o.dropout,
          .pad_id = data::kPadId,
          .n_class = n_class,
          .token_head = token_head,
          .init_std = o.init_std};
}

std::shared_ptr<const data::WordTokenizer> make_tokenizer(const EncoderConfig& c,
                                                          const std::string& text,
                                                          const std::string& where) {
  return data::WordTokenizer::of_text(
      text,
      {.vocab_size = c.vocabulary, .lowercase = c.lowercase, .pieces = c.tokenizer == "pieces"},
      where);
}

Tensor sketched_masked_loss(const nn::Bert& model, const EncoderConfig& config,
                            std::int64_t batch) {
  const Tensor ids = sketched_ids({batch, config.context});
  const auto hidden =
      static_cast<std::int64_t>(std::llround(config.mask_share * static_cast<double>(ids.numel())));
  const Tensor places = sketched_ids(Shape{std::max<std::int64_t>(1, hidden)});
  return cross_entropy(model.predict_tokens(model.encode(ids), places), places);
}

std::uint64_t EncoderData::fingerprint() const {
  std::uint64_t hash = 0;
  for (const auto& split : sequences) {
    std::vector<std::int32_t> all;
    for (const data::Sequence& sequence : split)
      all.insert(all.end(), sequence.begin(), sequence.end());
    hash = data::batch_hash(Tensor::from(all, {static_cast<std::int64_t>(all.size())}), Tensor(),
                            hash);
  }
  return hash;
}

void EncoderData::add(data::Split split, const std::vector<data::LabeledText>& examples,
                      std::int64_t context, const std::string& where, Cut& cut) {
  for (const data::LabeledText& example : examples) {
    std::int64_t whole = 0;
    sequences[static_cast<int>(split)].push_back(
        data::classify_sequence(*tokenizer, example.text, context, where, &whole));
    cut.texts += whole > context ? 1 : 0;
    cut.longest = std::max(cut.longest, whole);
    ++cut.of;
  }
}

void EncoderData::note_cut(const Cut& cut, std::int64_t context, const std::string& where) {
  if (cut.texts == 0) return;
  notes.push_back(
      fmt::format("{}: {} of {} texts are longer than the context {} and are truncated; the "
                  "longest has {} tokens",
                  where, cut.texts, cut.of, context, cut.longest));
}

std::int64_t EncoderData::tokens(data::Split split) const {
  std::int64_t count = 0;
  for (const data::Sequence& sequence : sequences[static_cast<int>(split)])
    count += std::ssize(sequence);
  return count;
}

EncoderData load_encoder_data(const EncoderConfig& c,
                              std::shared_ptr<const data::WordTokenizer> tokenizer, bool whole,
                              double test_share) {
  const std::string path = data::find_data_set(c.data);
  const Phase phase("tokenizing {}", path);
  EncoderData result;
  result.tokenizer = std::move(tokenizer);
  const bool old_rules = c.format < 3;
  if (old_rules ? path.ends_with(".tsv") : data::is_labeled(path)) {
    const data::LabeledData labeled =
        data::load_labeled(path, {.whole = whole, .old_rules = old_rules});
    result.notes = labeled.notes();
    if (!result.tokenizer)
      result.tokenizer = make_tokenizer(c, labeled.joined(data::Split::train), path);
    EncoderData::Cut cut;
    for (const auto split : {data::Split::train, data::Split::validation, data::Split::test})
      result.add(split, labeled.examples(split), c.context, path, cut);
    result.note_cut(cut, c.context, path);
    if (whole) join_splits(result.sequences);
    return result;
  }
  const std::string text = read_file(path, std::min(kMaxPretrainBytes, memory_limit()));
  // The vocabulary is that of the whole text, as with the other tokenizers; what is learned of it
  // is not.
  if (!result.tokenizer) result.tokenizer = make_tokenizer(c, text, path);
  const std::vector<std::int64_t> ids = result.tokenizer->encode(text, path);
  if (whole) {
    if (ids.empty()) fail<ConfigError>("eval", "{} holds no words", path);
    result.sequences[0] = result.sequences[1] = data::windows(ids, c.context);
    return result;
  }
  const auto cut = static_cast<std::ptrdiff_t>(kPretrainFraction * static_cast<double>(ids.size()));
  result.sequences[0] = data::windows({ids.begin(), ids.begin() + cut}, c.context);
  const auto end = std::ssize(ids) - static_cast<std::ptrdiff_t>(
                                         test_share * static_cast<double>(std::ssize(ids) - cut));
  result.sequences[1] = data::windows({ids.begin() + cut, ids.begin() + end}, c.context);
  result.sequences[2] = data::windows({ids.begin() + end, ids.end()}, c.context);
  if (result.sequences[0].empty() || result.sequences[1].empty() ||
      (test_share > 0 && result.sequences[2].empty()))
    fail<ConfigError>("config", "{} has {} tokens: too few to train and to validate on", path,
                      ids.size());
  return result;
}

Tensor masked_loss(const nn::Bert& model, const data::MaskedBatch& batch, bool sum,
                   std::int64_t* right) {
  const std::vector<std::int64_t> positions = hidden_positions(batch.targets);
  const Tensor index = Tensor::from(positions, {static_cast<std::int64_t>(positions.size())});
  std::vector<std::int64_t> truths;
  for (const std::int64_t p : positions) truths.push_back(batch.targets.data<std::int64_t>()[p]);
  const Tensor logits = model.predict_tokens(model.encode(batch.inputs), index);
  if (right != nullptr) {
    const auto guesses = argmax(logits).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < truths.size(); ++i) *right += guesses[i] == truths[i] ? 1 : 0;
  }
  return cross_entropy(logits, Tensor::from(truths, index.shape()),
                       {.reduction = sum ? Reduction::sum : Reduction::mean});
}

data::MaskedBatch mask_batch(const EncoderConfig& c, const data::WordTokenizer& tokenizer,
                             const Tensor& ids, std::uint64_t seed, std::int64_t k) {
  Generator generator(seed, fmt::format("mask-{}", k));
  return data::mask_tokens(ids, tokenizer, {.share = c.mask_share, .whole_words = c.whole_words},
                           generator);
}

}  // namespace weft::train
