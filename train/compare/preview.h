// What a plan will cost, before anything is run: the time of a step of each cell, measured here and
// now, and what is not equal between the arms of a task.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/compare/plan.h"

namespace weft::compare {

/// Seconds of a training step of a cell on one thread, with its data and its optimizer: the median
/// of a few, after one that is not counted. Evaluations and checkpoints are not in it.
double measure_step(const Plan& plan, const Cell& cell);

/// A figure that arms of a task differ in.
struct Unequal {
  std::string what;  ///< "parameters", "training FLOPs", "steps", "seconds"
  double least = 0, most = 0;
  std::string least_arm{}, most_arm{};
};

/// Of the arms of a task, with `seconds` of each cell's runs: every figure whose largest is more
/// than a hundredth above its least.
std::vector<Unequal> unequal_figures(const Plan& plan, std::size_t task,
                                     const std::vector<double>& seconds);

}  // namespace weft::compare
