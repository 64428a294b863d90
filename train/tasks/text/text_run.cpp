#include "train/tasks/text/text_run.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/random.h"
#include "data/split.h"
#include "data/text/utf8.h"
#include "nn/describe.h"
#include "nn/models/gpt.h"
#include "train/tasks/text/text_model.h"

namespace weft::train {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// A text begins after a line break; where the vocabulary has none, any token must do.
std::vector<std::int64_t> first_tokens(const data::Tokenizer& tokenizer,
                                       const std::string& prompt) {
  if (!prompt.empty()) return tokenizer.encode(prompt, "prompt");
  try {
    return tokenizer.encode("\n", "prompt");
  } catch (const Error&) {
    return {0};
  }
}

}  // namespace

TextRun::TextRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<TextConfig>(run.config_json, run.checkpoint.string())),
      tokenizer_(data::tokenizer_from_json(run.facts.data, run.checkpoint.string())),
      model_(build_model(config_, tokenizer_->vocab_size())) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

nn::Description TextRun::layers() const { return nn::describe(*model_); }

std::int64_t TextRun::write_text(WriteOptions options,
                                 const std::function<bool(const std::string&)>& show) const {
  if (options.chars < 1 || options.chars > 100'000'000)
    fail<ConfigError>("sample", "chars must be from 1 to 100000000, got {}", options.chars);
  if (options.seed < 0)
    fail<ConfigError>("sample", "seed must not be negative, got {}", options.seed);
  options.generate.max_new_tokens = options.chars * 4;  // a character has at most four bytes
  options.generate.validate();
  const std::vector<std::int64_t> prompt = first_tokens(*tokenizer_, options.prompt);

  Generator generator(static_cast<std::uint64_t>(options.seed), "sample");
  data::Utf8Stream stream;
  std::int64_t written = 0;
  bool wanted = true;
  const auto pass_on = [&](const std::string& characters) {
    // One token may hold several characters, but never more are shown than were asked for.
    std::size_t end = 0;
    while (end < characters.size()) {
      if (begins_character(characters[end])) {
        if (written == options.chars) break;
        ++written;
      }
      ++end;
    }
    if (end > 0) wanted = show(characters.substr(0, end));
  };
  model_->generate(
      prompt, options.generate,
      [&](std::int64_t id) {
        pass_on(stream.push(tokenizer_->decode(id)));
        return wanted && written < options.chars;
      },
      &generator);
  if (wanted && written < options.chars) pass_on(stream.finish());
  return written;
}

const nn::Gpt& TextRun::gpt() const {
  const auto* const gpt = dynamic_cast<const nn::Gpt*>(model_.get());
  if (gpt == nullptr)
    fail<ConfigError>("explain",
                      "model {} has no attention; this command expects a text run of model gpt",
                      config_.model.name());
  return *gpt;
}

TextAttention::Sizes TextRun::attention_sizes() const {
  const nn::GptConfig& config = gpt().config();
  return {.layers = config.n_layer, .heads = config.n_head, .context = config.block_size};
}

std::string TextRun::model_line() const {
  return fmt::format("GPT, {}, step {}", model_->details(), run().facts.progress.step);
}

std::vector<Tensor> TextRun::attention(const Tensor& ids) const {
  std::vector<Tensor> weights;
  gpt().forward(ids, &weights);
  return weights;
}

Tensor TextRun::token_table() const {
  for (const auto& [path, tensor] : model_->named_parameters())
    if (path == "transformer.wte.weight") return tensor.detach();
  fail<ConfigError>("explain", "the model has no table of tokens");
}

Tensor TextRun::validation_ids() const {
  const data::TextData text = data::load_text(
      config_.data, {.test_share = config_.test_share, .with_tokenizer = tokenizer_});
  check_unchanged(fingerprint_of(text), run().facts, config_.data);
  return text.ids(data::Split::validation);
}

std::string fingerprint_of(const data::TextData& text) {
  using data::Split;
  std::uint64_t hash = data::batch_hash(text.ids(Split::train), text.ids(Split::validation));
  if (text.size(Split::test) > 0) hash = data::batch_hash(text.ids(Split::test), Tensor(), hash);
  return data::hash_text(hash);
}

}  // namespace weft::train
