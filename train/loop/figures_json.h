// Figures as metrics.jsonl and summary.json hold them: a number that is not finite is left out.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "train/loop/figures.h"

namespace weft::train {

/// Whether a value of these files tells of the machine that trained rather than of the training.
inline bool is_machine_bound(std::string_view key) {
  return key == "seconds" || key == "train_seconds" || key == "memory_mib" || key == "peak_mib" ||
         key.ends_with("_per_s");
}

inline void put(nlohmann::ordered_json& json, const std::string& name, double value) {
  if (std::isfinite(value)) json[name] = value;
}

inline void put_figures(nlohmann::ordered_json& json, const std::string& prefix,
                        const Evaluation& evaluation) {
  put(json, prefix + "loss", evaluation.loss);
  for (const auto& [name, value] : evaluation.figures) put(json, prefix + name, value);
}

}  // namespace weft::train
