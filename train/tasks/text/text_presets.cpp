// Named recipes of text runs.
#include <algorithm>

#include "train/tasks/text/text_config.h"

namespace weft::train {
namespace {

using Recipe = std::vector<std::pair<std::string, std::string>>;

/// What trains a small GPT fastest, as far as we know; `otherwise` holds choices of it that differ.
Recipe text_best(const Recipe& otherwise = {}) {
  Recipe all = {{"data", "shakespeare"}, {"layers", "4"},       {"heads", "4"},
                {"width", "128"},        {"context", "64"},     {"batch", "12"},
                {"steps", "2000"},       {"positions", "rope"}, {"norm", "rms"},
                {"norm_weight", "no"},   {"qk_norm", "yes"},    {"activation", "relu_squared"},
                {"bias", "no"},          {"tie", "no"},         {"zero_init", "yes"},
                {"logit_cap", "15"},     {"optimizer", "muon"}, {"muon_lr", "0.02"},
                {"lr", "1e-2"},          {"beta1", "0.9"},      {"beta2", "0.95"},
                {"weight_decay", "0"},   {"clip", "0"},         {"schedule", "linear"},
                {"warmup", "0"},         {"final_lr", "0"},     {"eval_every", "250"}};
  for (const auto& other : otherwise)
    std::find_if(all.begin(), all.end(), [&](const auto& choice) {
      return choice.first == other.first;
    })->second = other.second;
  return all;
}

}  // namespace

std::vector<Preset> text_presets() {
  return {
      {"nanogpt-cpu",
       "the published recipe of nanoGPT's character model on a CPU",
       {{"data", "shakespeare"}, {"layers", "4"},
        {"heads", "4"},          {"width", "128"},
        {"context", "64"},       {"batch", "12"},
        {"steps", "2000"},       {"positions", "learned"},
        {"norm", "layer"},       {"activation", "gelu_erf"},
        {"bias", "no"},          {"tie", "yes"},
        {"dropout", "0"},        {"optimizer", "adamw"},
        {"lr", "1e-3"},          {"beta1", "0.9"},
        {"beta2", "0.99"},       {"weight_decay", "0.1"},
        {"clip", "1"},           {"schedule", "cosine"},
        {"warmup", "100"},       {"final_lr", "0.1"},
        {"eval_every", "250"}}},
      {"text-best",
       "the same model size and budget as nanogpt-cpu, with a recipe that learns much faster",
       text_best()},
      {"text-fast",
       "half the layers of text-best and 300 steps: soonest past the 1.9 that nanogpt-cpu ends at",
       text_best({{"layers", "2"}, {"steps", "300"}, {"eval_every", "300"}})},
      {"tang", "Tang quatrains: couplets of two equal lines after a few minutes",
       text_best({{"data", "tang"}, {"batch", "16"}, {"lr", "5e-3"}, {"clip", "1"}})}};
}

}  // namespace weft::train
