#include <fmt/format.h>

#include <algorithm>

#include "train/config_sources.h"

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

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      {"nanogpt-cpu",
       "text",
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
      {"text-best", "text",
       "the same model size and budget as nanogpt-cpu, with a recipe that learns much faster",
       text_best()},
      {"text-fast", "text",
       "half the layers of text-best and 300 steps: soonest past the 1.9 that nanogpt-cpu ends at",
       text_best({{"layers", "2"}, {"steps", "300"}, {"eval_every", "300"}})},
      {"tang", "text", "Tang quatrains: couplets of two equal lines after a few minutes",
       text_best({{"data", "tang"}, {"batch", "16"}, {"lr", "5e-3"}, {"clip", "1"}})},
      {"vit-best",
       "vision",
       "the default vision transformer on MNIST, with Muon and shifted images",
       {{"data", "mnist"},
        {"model", "vit"},
        {"patch", "4"},
        {"layers", "6"},
        {"heads", "4"},
        {"width", "64"},
        {"batch", "128"},
        {"epochs", "12"},
        {"pool", "mean"},
        {"shift", "2"},
        {"optimizer", "muon"},
        {"muon_lr", "0.02"},
        {"lr", "3e-3"},
        {"beta2", "0.99"},
        {"weight_decay", "0.05"},
        {"clip", "1"},
        {"schedule", "linear"},
        {"final_lr", "0"}}},
      {"recall",
       "sequence",
       "the values of four keys (MQAR), learned within seconds",
       {{"data", "recall"},
        {"symbols", "32"},
        {"length", "32"},
        {"pairs", "4"},
        {"layers", "2"},
        {"heads", "1"},
        {"width", "32"},
        {"positions", "rope"},
        {"batch", "64"},
        {"steps", "400"},
        {"optimizer", "muon"},
        {"muon_lr", "0.02"},
        {"lr", "3e-3"},
        {"eval_every", "100"}}},
      {"reverse",
       "sequence",
       "the encoder-decoder of 2017 turns twenty digits around",
       {{"data", "reverse"},
        {"symbols", "10"},
        {"length", "20"},
        {"model", "encoder_decoder"},
        {"layers", "2"},
        {"heads", "4"},
        {"width", "64"},
        {"batch", "64"},
        {"steps", "600"},
        {"optimizer", "muon"},
        {"muon_lr", "0.02"},
        {"lr", "3e-3"},
        {"eval_every", "100"}}},
      {"grokking",
       "sequence",
       "sums modulo 53: learned by heart at first, then understood",
       {{"data", "modular_addition"},
        {"modulus", "53"},
        {"train_fraction", "0.5"},
        {"layers", "1"},
        {"heads", "4"},
        {"width", "64"},
        {"positions", "learned"},
        {"batch", "512"},
        {"steps", "1500"},
        {"lr", "1e-3"},
        {"weight_decay", "1"},
        {"schedule", "constant"},
        {"eval_every", "100"}}},
  };
  return all;
}

std::string preset_help(const std::string& task) {
  std::string text;
  for (const Preset& preset : presets()) {
    if (preset.task == task)
      text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", preset.name, preset.about);
  }
  return text;
}

}  // namespace weft::train
