// How good a run is on its own data, or on others: weft eval.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/tasks/common/run_facts.h"

namespace weft::train {

struct EvalRequest {
  std::string data{};   ///< other data than the run's own; empty: its own
  std::string split{};  ///< train, validation, test; empty: what is held out
};

struct Measured {
  std::string split;  ///< as it is called in what is printed; "all" of other data
  Evaluation figures{};
  std::string unit;                ///< of figures.measured
  double chance = 0;               ///< Task::chance_loss()
  std::vector<std::string> notes;  ///< of other data: what of them was left out
};

/// Reads the data as the run learned from them, by its vocabulary and its statistics. Other data
/// are measured whole, but for kinds whose data come with a test set: Kind::has_test_set().
/// `proceed` as in Task::evaluate(). Throws ConfigError `[eval] ...` for a split that is not there
/// or has no effect, for data of its own that have changed, and for others that the model cannot
/// read; IoError.
Measured evaluate_run(const RunFacts& run, const EvalRequest& request,
                      const std::function<bool(double)>& proceed);

}  // namespace weft::train
