// What evaluations measure, by name: one line in figures.cpp makes a figure known to summaries, the
// progress bar, `--until` and comparisons.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "train/loop/predictions.h"

namespace weft::train {

struct Figure {
  std::string name;   ///< as in `val_accuracy`, without the split
  std::string label;  ///< for people: "bits per byte"
  bool lower_is_better;
  bool percent = false;  ///< shown as a percentage
};

/// Every figure that an evaluation may hold.
const std::vector<Figure>& known_figures();
/// Null for an unknown one.
const Figure* find_figure(std::string_view name);

/// Figures of one look at a split.
struct Evaluation {
  double loss = std::numeric_limits<double>::quiet_NaN();  ///< that training minimizes, mean over
                                                           ///< targets: nats, or squared error
  std::vector<std::pair<std::string, double>>
      figures{};  ///< the others, in the order they are shown
  /// What was looked at, in the unit of the task (Task::unit()); 0 where that was not counted.
  std::int64_t measured = 0;
  /// Of each example, where the split is the test split.
  Predictions predictions{};

  /// "loss" or one of the others; NaN where it was not measured.
  double figure(std::string_view name) const;
};

/// "accuracy 98.40 %", "loss 1.5799".
std::string figure_text(std::string_view name, double value);

}  // namespace weft::train
