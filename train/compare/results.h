// What a comparison found: every figure, every verdict, as results.json and results.csv hold them.
// collect() (collect.h) makes it from the runs, results_json() writes it, read_results() reads it
// again, and the terminal, the report and the tables are made from it alone.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "train/compare/sentence.h"

namespace weft::compare {

/// Whether all arms of a task saw the same batches with one seed, as far as their runs go: one hash
/// for all, or they are no pairs.
struct Pairing {
  std::int64_t seed = 0;
  std::string hash{};     ///< of the batches that all of them saw
  std::int64_t runs = 0;  ///< that it was compared over
  std::int64_t steps = 0;
  bool equal = true;
  std::string mismatched_arm{};  ///< an arm that saw others; not written
};

struct ResultTask {
  std::string name{};
  Phrase about{};
  std::string metric{};
  bool lower_is_better = false;
  double margin = 0;
  double chance = 0;  ///< NaN, as every figure below, where there is none
  double ceiling = 0;
  std::string base{};   ///< the task that it is with another length of training; empty: its own
  double multiple = 1;  ///< of that training
  double solved = std::numeric_limits<double>::quiet_NaN();  ///< from which figure on a run has
                                                             ///< solved the task
  std::int64_t test_rows = 0;      ///< that every run was judged by; 0: not known
  bool fresh_test = false;         ///< each seed was judged by rows of its own
  std::vector<Pairing> pairing{};  ///< by seed
};

struct ResultArm {
  std::string name{};
  Phrase about{};
  bool unequal = false;  ///< outside the budget
  std::vector<std::pair<std::string, train::Value>> choices{};
};

struct ResultRun {
  std::int64_t seed = 0;
  std::string status{};  ///< name(Status): "done", "failed", "missing"
  double value = 0;
  double seconds = 0;
  double train_seconds = std::numeric_limits<double>::quiet_NaN();  ///< of these, in steps
  double peak_mib = 0;
  std::string error{};
  std::string folder{};
  std::string command{};  ///< that makes it again
};

struct TriedRate {
  double factor = 0;
  double lr = 0;
  double value = 0;  ///< on validation data, mean over the tuning seeds; NaN: one of them failed
};

/// A figure during training: mean and extremes over the seeds, at the steps that all of them
/// evaluated.
struct Curve {
  std::string figure{};
  std::vector<std::int64_t> steps{};
  std::vector<double> mean{}, low{}, high{};
};

/// An arm on a task.
struct ResultCell {
  std::size_t task = 0;  ///< indices into the results' tasks and arms
  std::size_t arm = 0;
  bool equal = true;             ///< whether the budget holds for it
  std::vector<double> values{};  ///< one a seed; NaN where a run failed or is missing
  std::int64_t failed = 0;
  double mean = 0, deviation = 0, low = 0, high = 0;  ///< of the values, with their interval
  /// The interval over seeds and test rows; NaN where each seed has rows of its own, and where
  /// predictions are not known.
  Interval with_rows = kNoInterval;
  double parameters = 0;
  double forward_flops = 0;                                         ///< of one sample
  double training_flops = 0;                                        ///< of a whole run
  double seconds = 0;                                               ///< mean over the finished runs
  double train_seconds = std::numeric_limits<double>::quiet_NaN();  ///< of these, in steps
  double peak_mib = 0;                                              ///< largest
  double steps = 0, width = 0;
  double lr = 0;  ///< NaN: not chosen yet
  std::vector<TriedRate> tried{};
  std::string grid_end{};         ///< name(GridEnd): where the best of those lies; empty: not known
  std::vector<ResultRun> runs{};  ///< by seed
  Curve curve{};
};

struct ResultContrast {
  std::size_t task = 0;
  Statement statement{};
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
  std::string version{}, suite{}, kind{}, started{}, cpu{}, simd{};
  std::string suite_hash{};  ///< of the suite's file, FNV-1a in 16 hexadecimal digits
  Phrase question{};
  bool quick = false;
  bool complete = true;
  std::vector<std::int64_t> seeds{};
  double alpha = 0.05;
  double seconds = 0;  ///< in all sessions
  std::int64_t cores = 0, jobs = 0, runs_done = 0, runs_failed = 0, runs_wanted = 0;
  std::string equal{};  ///< the budget: "steps", "parameters", "flops", "seconds", "unequal"
  std::string reference{};
  double amount = 0, tolerance = 0;
  std::vector<double> lr_factors{};
  std::vector<std::int64_t> tuning_seeds{};
  std::vector<std::int64_t> looks{};   ///< declared, at so many seeds each; empty: once, at all
  std::vector<std::int64_t> looked{};  ///< at how many seeds results were read in this folder
  std::vector<ResultTask> tasks{};
  std::vector<ResultArm> arms{};
  std::vector<ResultCell> cells{};  ///< by task, then arm
  std::vector<ResultContrast> contrasts{};
  std::vector<ExploratoryPair> exploratory{};
  std::vector<ControlStatement> controls{};

  /// The cell of an arm on a task, or nullptr where it does not run on it or nothing of it is known
  /// yet.
  const ResultCell* cell(std::size_t task, std::size_t arm) const;
  /// Makes cell() know the cells that are there now.
  void index_cells();
  std::vector<std::size_t>
      grid{};  ///< what cell() looks at, task by task, arm by arm: 1 + the number of the cell, or 0
};

/// What single runs of a cell are like.
RunSpread spread_of(const Results& results, const ResultCell& cell);
/// Fills in what a contrast's statement says of its arms, from their cells: budgets, rates, runs,
/// test rows, looks.
void describe_arms(const Results& results, ResultContrast& contrast);

/// Tells the statement of each contrast what came of it with other lengths of training.
void compare_budgets(Results& results);

/// How many looks were had that were not declared, where there was more than one look in all: each
/// is another chance to find a difference that is none.
std::int64_t repeated_looks(const Results& results);

/// What is wrong with the pairing, naming the task, the seed and the arms; empty when all is well.
std::string pairing_error(const Results& results);

/// results.json. Figures that are not finite are null.
std::string results_json(const Results& results);
/// What results_json() wrote, now or earlier: what older files do not have keeps its default.
/// Throws ConfigError `[results.json] tasks[2].metric is missing` and the like: what is missing, or
/// of another type than it must be.
Results read_results(const std::string& text);
std::string results_csv(const Results& results);

/// A choice as text: "4", "true", "rope".
std::string choice_text(const train::Value& value);

}  // namespace weft::compare
