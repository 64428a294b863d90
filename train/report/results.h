// What `weft compare` found, as read back from its results.json. The report is made from this
// alone.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "train/compare/sentence.h"

namespace weft::report {

using compare::Phrase;

/// What every seed's runs of a task saw: one hash of the batches for all arms, or they were no
/// pairs.
struct Pairing {
  std::int64_t seed = 0;
  std::string hash{};
  std::int64_t runs = 0;
  bool equal = false;
};

struct ResultTask {
  std::string name{};
  Phrase about{};
  std::string metric{};
  bool lower_is_better = false;
  double margin = 0;
  double chance = 0;  ///< NaN, as every figure below, where there is none
  double ceiling = 0;
  std::vector<Pairing> pairing{};
};

struct ResultArm {
  std::string name{};
  Phrase about{};
  bool unequal = false;
  std::vector<std::pair<std::string, std::string>> choices{};
};

struct ResultRun {
  std::int64_t seed = 0;
  std::string status{};  ///< "done", "failed", "missing"
  double value = 0;
  double seconds = 0;
  double peak_mib = 0;
  std::string error{};
  std::string folder{};
  std::string command{};
};

struct TriedRate {
  double factor = 0;
  double lr = 0;
  double value = 0;  ///< on validation data
};

/// Mean, least and greatest of the seeds at each step.
struct Curve {
  std::string figure{};
  std::vector<double> steps{}, mean{}, low{}, high{};
};

/// An arm on a task.
struct Cell {
  std::size_t task = 0;
  std::size_t arm = 0;
  bool equal = true;             ///< within the budget
  std::vector<double> values{};  ///< one a seed
  std::int64_t failed = 0;
  double mean = 0, deviation = 0, low = 0, high = 0;
  double parameters = 0, forward_flops = 0, training_flops = 0, seconds = 0, peak_mib = 0,
         steps = 0, width = 0, lr = 0;
  std::vector<TriedRate> tried{};
  std::vector<ResultRun> runs{};
  Curve curve{};
};

struct ResultContrast {
  std::size_t task = 0;
  compare::Statement statement{};
  Phrase question{};
  Phrase expectation{};
  std::vector<double> differences{};  ///< one a seed
};

struct ExploratoryPair {
  std::size_t task = 0;
  std::string a{}, b{};
  double difference = 0, low = 0, high = 0;
  std::int64_t seeds = 0;
};

struct Results {
  std::string version{}, suite{}, kind{}, started{}, cpu{}, simd{}, note{};
  Phrase question{};
  bool quick = false;
  bool complete = true;
  std::vector<std::int64_t> seeds{};
  double alpha = 0.05;
  double seconds = 0;
  std::int64_t cores = 0, jobs = 0, runs_done = 0, runs_failed = 0, runs_wanted = 0;
  std::string equal{},
      reference{};  ///< the budget: "steps", "parameters", "flops", "seconds", "unequal"
  double amount = 0, tolerance = 0;
  std::vector<double> lr_factors{};
  std::vector<ResultTask> tasks{};
  std::vector<ResultArm> arms{};
  std::vector<Cell> cells{};
  std::vector<ResultContrast> contrasts{};
  std::vector<ExploratoryPair> exploratory{};
  std::vector<compare::ControlStatement> controls{};

  /// The cell of an arm on a task, or nullptr where it does not run on it or nothing of it is known
  /// yet.
  const Cell* cell(std::size_t task, std::size_t arm) const;
  std::vector<std::size_t>
      grid{};  ///< what cell() looks at, task by task, arm by arm: 1 + the number of the cell, or 0
};

/// Throws ConfigError `[results.json] tasks[2].metric is missing` and the like: what is missing, or
/// of another type than it must be.
Results read_results(const std::string& text);

/// What the page's charts draw, as JSON.
std::string chart_data(const Results& results);

}  // namespace weft::report
