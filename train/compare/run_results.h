// The folder of a comparison, and what the finished runs in it say.
//
//   DIR/suite.toml             the suite as it was, byte for byte
//   DIR/compare.json           which form of it: quick or not, the seeds, and at how many seeds
//                              results were read (looks)
//   DIR/configs/TASK/ARM.json  what every run of a cell is, its learning rate chosen;
//   ARM.try-FACTOR.json before that DIR/runs/TASK/ARM/seed-K   a run's folder like any other;
//   beside it, for one that failed, seed-K.failed (why) and seed-K.log DIR/results.json,
//   results.csv, report.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/io/open_files.h"
#include "train/compare/plan.h"

namespace weft::compare {

namespace fs = std::filesystem;

/// One run: of a seed, or one that tries a learning rate.
struct Job {
  std::size_t cell = 0;  ///< index into the plan's cells
  std::int64_t seed = 0;
  std::optional<double> factor{};  ///< of a try
  fs::path folder{};
  fs::path config{};

  fs::path failed() const { return folder.string() + ".failed"; }
  fs::path log() const { return folder.string() + ".log"; }
};

enum class Status : std::uint8_t { missing, done, failed };
std::string_view name(Status status);

/// What a run's summary.json says, or why there is none.
struct RunResult {
  Status status = Status::missing;
  double value = std::numeric_limits<double>::quiet_NaN();  ///< the metric that was asked for
  double seconds = 0;
  double train_seconds = 0;  ///< of these, in steps; earlier versions: all
  double peak_mib = 0;
  std::int64_t steps = 0;
  double parameters = std::numeric_limits<double>::quiet_NaN();
  double rate = 0;  ///< of its unit, a second
  std::string batch_hash;
  std::string error;
};

/// `metric` as in a suite, "test_accuracy". A finished run without a finite figure counts as
/// failed.
RunResult read_result(const Job& job, const Metric& metric);
/// The same of a run of a plan; one whose parameters or steps are not those of its cell counts as
/// failed, for it is not what the comparison says of it.
RunResult checked_result(const Plan& plan, const Job& job, const Metric& metric);
/// Seconds of a step of a run, from the steady part of its metrics.jsonl: the last three quarters
/// of its steps, without the last. NaN where there are too few.
double steady_pace(const fs::path& run);

/// The metric that choices may be made by: "test_accuracy" becomes "val_accuracy"; for what a run
/// costs it is the validation loss.
Metric tuning_metric(const Metric& metric);

/// Chained hashes of the batches that a run had seen, by step, from its metrics.jsonl.
std::map<std::int64_t, std::string> batch_hashes(const fs::path& run);

class CompareFolder {
 public:
  /// Makes the folder, or takes up one of the same suite and form, and keeps others out. Of the
  /// seeds that it was begun with, the new ones must be the first, or go on behind them.
  /// Throws ConfigError for a folder of something else, or of a suite that has changed since;
  /// IoError.
  CompareFolder(fs::path path, const Suite& suite, bool quick);

  const fs::path& path() const { return path_; }
  Job seed_job(const Plan& plan, std::size_t cell, std::int64_t seed) const;
  Job try_job(const Plan& plan, std::size_t cell, double factor, std::int64_t seed) const;
  /// Measures a cell's pace for the `round`-th time; round 0 tells how many steps the others want.
  Job pace_job(const Plan& plan, std::size_t cell, std::int64_t round) const;

  /// At how many seeds results were read in this folder, in the order in which it was done.
  std::vector<std::int64_t> looks() const;
  /// Notes that they are read at so many seeds.
  void note_look(std::int64_t seeds) const;

 private:
  fs::path path_;
  std::unique_ptr<files::FolderLock> lock_;
};

}  // namespace weft::compare
