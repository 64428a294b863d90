#include "train/tasks/classify/classify_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "autograd/autograd.h"
#include "autograd/ops/softmax.h"
#include "core/error.h"
#include "nn/check.h"

namespace weft::train {

ClassifyRun::ClassifyRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<ClassifyConfig>(run.config_json, run.checkpoint.string())),
      facts_(ClassifierFacts::from_json(run.facts.data, run.checkpoint.string())),
      model_(build_classifier(config_, facts_.tokenizer->vocab_size(),
                              static_cast<std::int64_t>(facts_.classes.size()))) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

std::vector<std::pair<const char*, std::string>> ClassifyRun::unused_flags(bool json) const {
  std::vector<std::pair<const char*, std::string>> flags{{"--beam", "a classify run"}};
  if (json) flags.emplace_back("--top", "--json, which prints all classes");
  return flags;
}

std::vector<double> ClassifyRun::probabilities(const std::string& text) const {
  if (facts_.tokenizer->encode(text, "predict").empty())
    fail<ConfigError>("predict", "a text without a word has no class: give it one");
  const NoGrad no_grad;
  const data::Sequence sequence =
      data::classify_sequence(*facts_.tokenizer, text, config_.context, "predict");
  const Tensor logits = (*model_)(data::pad({sequence}, {0}));
  nn::check_logits("predict", logits.to_vector<double>());  // what has no order is not ranked
  return softmax(logits).to_vector<double>();
}

std::string ClassifyRun::answer(const TextQuestion& question, nlohmann::ordered_json& entry) const {
  const std::vector<double> probability = probabilities(question.text);
  std::vector<std::size_t> order(probability.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return probability[a] > probability[b]; });
  entry["class"] = facts_.classes[order.front()];
  entry["probability"] = probability[order.front()];
  std::string printed;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::string& name = facts_.classes[order[i]];
    entry["probabilities"][name] = probability[order[i]];
    if (i < static_cast<std::size_t>(question.top))
      printed +=
          fmt::format("{}{} {:.2f} %", i == 0 ? "" : "  ", name, 100 * probability[order[i]]);
  }
  return printed + "  " + question.text + "\n";
}

}  // namespace weft::train
