#include "train/compare/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weft::compare {
namespace {

constexpr double kNoticed = 0.1;  // of what lies between chance and the ceiling

}  // namespace

const ResultCell* Results::cell(std::size_t task, std::size_t arm) const {
  const std::size_t number = grid[task * arms.size() + arm];
  return number == 0 ? nullptr : &cells[number - 1];
}

void Results::index_cells() {
  grid.assign(tasks.size() * arms.size(), 0);
  for (std::size_t i = 0; i < cells.size(); ++i)
    grid[cells[i].task * arms.size() + cells[i].arm] = i + 1;
}

RunSpread spread_of(const Results& results, const ResultCell& cell) {
  const ResultTask& task = results.tasks[cell.task];
  const double whole = std::abs(task.ceiling - task.chance);
  const double difference = task.margin > 0        ? 2 * task.margin
                            : std::isfinite(whole) ? kNoticed * whole
                                                   : 0;
  return spread_of(cell.values, task.solved, task.lower_is_better, difference, 1 - results.alpha);
}

void describe_arms(const Results& results, ResultContrast& contrast) {
  Statement& statement = contrast.statement;
  const ResultTask& task = results.tasks[contrast.task];
  statement.repeated_looks = repeated_looks(results);
  statement.test_rows = task.test_rows;
  statement.fresh_test = task.fresh_test && !is_cost(task.metric);
  statement.may_fail = std::isfinite(task.solved);
  statement.unequal = statement.unequal || results.equal == "unequal";
  const auto at = [&](const ResultCell& cell, double limit) {
    return task.margin > 0 && std::abs(cell.mean - limit) <= task.margin;
  };
  bool chance = true, ceiling = true;
  for (const bool first : {true, false}) {
    const std::string& name = first ? statement.a : statement.b;
    for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
      if (results.arms[arm].name != name) continue;
      statement.unequal = statement.unequal || results.arms[arm].unequal;
      const ResultCell* const cell = results.cell(contrast.task, arm);
      if (cell == nullptr) {
        chance = ceiling = false;
        continue;
      }
      statement.unequal = statement.unequal || !cell->equal;
      (first ? statement.grid_end_a : statement.grid_end_b) = cell->grid_end;
      (first ? statement.runs_a : statement.runs_b) = spread_of(results, *cell);
      chance = chance && at(*cell, task.chance);
      ceiling = ceiling && at(*cell, task.ceiling);
    }
  }
  statement.both_at = chance ? "chance" : ceiling ? "ceiling" : "";
}

void compare_budgets(Results& results) {
  const auto base_of = [&](const ResultContrast& contrast) -> const std::string& {
    const ResultTask& task = results.tasks[contrast.task];
    return task.base.empty() ? task.name : task.base;
  };
  for (ResultContrast& one : results.contrasts) {
    one.statement.other_budgets.clear();
    for (const ResultContrast& other : results.contrasts) {
      if (one.task == other.task || base_of(one) != base_of(other) ||
          one.statement.a != other.statement.a || one.statement.b != other.statement.b)
        continue;
      const Finding& finding = other.statement.finding;
      one.statement.other_budgets.push_back(
          {.multiple = results.tasks[other.task].multiple / results.tasks[one.task].multiple,
           .verdict = finding.verdict,
           .mean = finding.difference.mean});
    }
  }
}

std::int64_t repeated_looks(const Results& results) {
  if (results.looked.size() < 2) return 0;
  return std::count_if(results.looked.begin(), results.looked.end(), [&](std::int64_t look) {
    return std::find(results.looks.begin(), results.looks.end(), look) == results.looks.end();
  });
}

std::string pairing_error(const Results& results) {
  for (const ResultTask& task : results.tasks) {
    for (const Pairing& pairing : task.pairing) {
      if (pairing.equal) continue;
      return fmt::format(
          "[compare] the arms did not see the same batches: task {}, seed {}, arm {}; no contrast "
          "of this task is decided",
          task.name, pairing.seed, pairing.mismatched_arm);
    }
  }
  return "";
}

}  // namespace weft::compare
