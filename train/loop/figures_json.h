// Figures as metrics.jsonl and summary.json hold them: a number that is not finite is left out.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "train/loop/figures.h"

namespace weft::train {

inline void put(nlohmann::ordered_json& json, const std::string& name, double value) {
  if (std::isfinite(value)) json[name] = value;
}

inline void put_figures(nlohmann::ordered_json& json, const std::string& prefix,
                        const Evaluation& evaluation) {
  put(json, prefix + "loss", evaluation.loss);
  for (const auto& [name, value] : evaluation.figures) put(json, prefix + name, value);
}

}  // namespace weft::train
