// Runs a plan: tries of learning rates first, then every seed of every cell, several processes at a
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "train/compare/run_results.h"

namespace weft::compare {

/// How far a comparison has come.
struct CompareProgress {
  const Plan* plan = nullptr;
  std::int64_t done = 0;  ///< runs and tries that are finished, failed ones included
  std::int64_t failed = 0;
  std::int64_t running = 0;
  std::int64_t wanted = 0;
  double seconds = 0;       ///< since this sitting began
  double seconds_left = 0;  ///< infinite while nothing is known
  fs::path held;  ///< of a run that another program trains at the moment, and that is waited for;
                  ///< empty: none
  std::vector<std::vector<double>> values;  ///< of every cell, the finite metrics that are there
};

struct RunnerOptions {
  int jobs = 1;
  fs::path program;    ///< weft itself
  bool retry = false;  ///< runs that failed before are made again
  std::function<void(const CompareProgress&)> observer{};  ///< called several times a second
  std::function<bool()> stop{};                            ///< true: running children save and end
};

/// True when every run is finished or has failed; false when it was stopped. What is there already
/// is not made again; what was interrupted is resumed. With a budget in seconds the cells get the
/// steps that their measured pace allows. Throws DiskFullError when the disk is full (running ones
/// save if they can; finished ones stay), ConfigError for budgets that cannot be met.
bool run_plan(Plan& plan, const CompareFolder& folder, const RunnerOptions& options);

}  // namespace weft::compare
