// What `weft compare SUITE --check` says: each arm as the budget has solved for it, what it will
// cost, and what is not equal.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/compare/plan.h"

namespace weft::cli {

/// A plan with the seconds of one run of each of its cells, evaluations not counted.
struct PlanCheck {
  compare::Plan plan;
  std::vector<double> seconds{};

  /// Measures a few steps of every cell.
  explicit PlanCheck(compare::Plan checked);

  std::string text() const;
  nlohmann::ordered_json json() const;
  /// Of all runs and tries, one after the other.
  double all_seconds() const;
};

}  // namespace weft::cli
