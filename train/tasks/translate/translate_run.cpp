#include "train/tasks/translate/translate_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace weft::train {

TranslateRun::TranslateRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<TranslateConfig>(run.config_json, run.checkpoint.string())),
      vocabulary_{data::tokenizer_from_json(run.facts.data, run.checkpoint.string())},
      model_(std::make_unique<nn::EncoderDecoder>(
          encoder_decoder_config(config_, vocabulary_.size()))) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

nn::Description TranslateRun::layers() const {
  return nn::describe(*model_, [&] {
    (*model_)(Tensor::zeros({1, config_.context}, DType::i64),
              Tensor::zeros({1, config_.context + 1}, DType::i64));
  });
}

std::vector<Translation> TranslateRun::translate(const std::string& source,
                                                 std::int64_t beam) const {
  const std::vector<std::int64_t> ids = vocabulary_.tokenizer->encode(source, "text");
  if (ids.empty()) fail<ConfigError>("predict", "an empty text has no translation");
  if (static_cast<std::int64_t>(ids.size()) > config_.context)
    fail<ConfigError>("predict", "the text has {} characters, and the model reads at most {}",
                      ids.size(), config_.context);
  std::vector<Translation> found;
  for (const nn::Hypothesis& hypothesis : model_->beam_search(
           ids, {.beam = beam, .start = vocabulary_.start(), .end = vocabulary_.end()})) {
    std::vector<std::int64_t> characters;
    std::copy_if(hypothesis.ids.begin(), hypothesis.ids.end(), std::back_inserter(characters),
                 [&](std::int64_t id) { return id < vocabulary_.start(); });
    found.push_back({vocabulary_.tokenizer->decode(characters), hypothesis.log_probability});
  }
  return found;
}

std::string TranslateRun::answer(const TextQuestion& question,
                                 nlohmann::ordered_json& entry) const {
  std::vector<Translation> found = translate(question.text, std::max(question.top, question.beam));
  found.resize(std::min(found.size(), static_cast<std::size_t>(question.top)));
  entry["answers"] = nlohmann::ordered_json::array();
  std::string printed = question.text + "\n";
  for (const Translation& one : found) {
    entry["answers"].push_back({{"text", one.text}, {"log_probability", one.log_probability}});
    printed += fmt::format("  {}  {:.1f}\n", one.text, one.log_probability);
  }
  return printed;
}

}  // namespace weft::train
