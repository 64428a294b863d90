// From a suite to the runs it takes: every configuration resolved, the budget solved, the
// arithmetic counted. Nothing is run here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/compare/suite.h"
#include "train/tasks/common/kind.h"

namespace weft::compare {

/// One arm on one task.
struct Cell {
  std::size_t task = 0;  ///< index into the suite's tasks and arms
  std::size_t arm = 0;
  std::shared_ptr<train::RunConfig>
      config{};  ///< resolved; the seed and the learning rate are the run's
  std::shared_ptr<const train::DataFacts> data{};
  bool equal = true;  ///< whether the budget holds for it
  double parameters = 0;
  double forward_flops = 0;   ///< of one sample
  double training_flops = 0;  ///< of a whole run
  std::int64_t steps = 0;
};

struct Plan {
  Suite suite;
  const train::Kind* kind = nullptr;
  std::vector<Cell> cells;  ///< by task, then arm
  /// Learning rates are tried with them; none is a seed of the comparison.
  std::vector<std::int64_t> tuning_seeds{};

  const Task& task(const Cell& cell) const { return suite.tasks[cell.task]; }
  const Arm& arm(const Cell& cell) const { return suite.arms[cell.arm]; }
  /// Into `cells`; none when the arm does not run on the task.
  std::optional<std::size_t> find(const std::string& task, const std::string& arm) const;
  /// Runs of the comparison itself, and those that try the learning rates that are declared; there
  /// are more of these where a grid has to grow (grid.h).
  std::int64_t runs() const;
  std::int64_t tries() const;
  /// Whether learning rates are searched at all.
  bool tunes() const { return suite.lr_factors.size() > 1; }
};

/// Loads what must be known of the data, solves widths and steps. Throws ConfigError where a budget
/// cannot be met or arms that should train equally long do not, IoError for data that cannot be
/// read. A budget in seconds leaves the steps as they are: set_pace() has the last word.
Plan make_plan(Suite suite);

/// Gives a cell of a suite with a budget in seconds the steps that take so long, when one takes
/// `seconds_of_a_step`.
void set_pace(const Plan& plan, Cell& cell, double seconds_of_a_step);

}  // namespace weft::compare
