// What a comparison found: every figure, every verdict, as results.json and results.csv hold them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "train/compare/run_results.h"
#include "train/compare/sentence.h"
#include "train/compare/verdict.h"

namespace weft::compare {

/// A figure by step, from a run's metrics.jsonl; lines that do not have it, or are torn, are passed
/// over.
std::map<std::int64_t, double> read_curve(const fs::path& run, const std::string& figure);

struct CellRun {
  Job job;
  RunResult result;
  std::string command{};  ///< that makes it again
};

struct Try {
  double factor = 1;
  double lr = 0;
  double value = 0;  ///< on validation data; NaN: it failed
};

/// A figure during training: mean and extremes over the seeds, at the steps that all of them
/// evaluated.
struct Curve {
  std::string figure;
  std::vector<std::int64_t> steps{};
  std::vector<double> mean{};
  std::vector<double> low{};
  std::vector<double> high{};
};

struct CellResult {
  Cell cell;
  std::vector<CellRun> runs{};  ///< by seed, as in the suite
  Estimate estimate{};
  std::int64_t failed = 0;
  double seconds = 0;   ///< mean over the finished runs
  double peak_mib = 0;  ///< largest
  double lr = 0;        ///< NaN: not chosen yet
  std::vector<Try> tries{};
  Curve curve{};

  std::vector<double> values() const;  ///< by seed; NaN where a run failed or is missing
};

/// Whether all arms of a task saw the same batches with one seed, as far as their runs go.
struct Pairing {
  std::int64_t seed = 0;
  std::string hash{};     ///< of the batches that all of them saw
  std::int64_t runs = 0;  ///< that it was compared over
  std::int64_t steps = 0;
  bool equal = true;
  std::string mismatched_arm{};  ///< an arm that saw others
};

struct Results {
  const Plan* plan = nullptr;
  bool quick = false;
  bool complete = false;
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::vector<CellResult> cells{};                        ///< as in the plan
  std::vector<std::vector<Pairing>> pairings{};           ///< by task, then seed
  std::vector<Statement> contrasts{};                     ///< as in the suite
  std::vector<Comparison> compared{};                     ///< the figures behind each
  std::vector<std::vector<ControlStatement>> controls{};  ///< as in the suite, by arm and task
  struct Exploratory {
    std::size_t a;  ///< indices of cells
    std::size_t b;
    Estimate difference;
  };
  std::vector<Exploratory> exploratory{};
};

/// Reads what is there; nothing need be finished. Contrasts with missing runs are undecided. A task
/// whose arms saw different batches decides nothing either: see pairing_error().
Results collect(const Plan& plan, const CompareFolder& folder, bool quick);

/// What is wrong with the pairing, naming the task, the seed and the arms; empty when all is well.
std::string pairing_error(const Results& results);

struct ResultsFacts {
  std::string version;
  std::string cpu;
  std::string simd;
  std::int64_t cores = 0;
  std::string started;  ///< ISO 8601, UTC
  double seconds = 0;   ///< in all sessions
  int jobs = 1;
};

std::string results_json(const Results& results, const ResultsFacts& facts);
std::string results_csv(const Results& results);

}  // namespace weft::compare
