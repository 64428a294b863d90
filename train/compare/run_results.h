// The folder of a comparison, and what the finished runs in it say.
//
//   DIR/suite.toml             the suite as it was, byte for byte
//   DIR/compare.json           which form of it: quick or not, the seeds
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
  double peak_mib = 0;
  std::int64_t steps = 0;
  double rate = 0;  ///< of its unit, a second
  std::string batch_hash;
  std::string error;
};

/// `metric` as in a suite, "test_accuracy". A finished run without a finite figure counts as
/// failed.
RunResult read_result(const Job& job, const std::string& metric);

/// The metric that choices may be made by: "test_accuracy" becomes "val_accuracy".
std::string validation_metric(const std::string& metric);

/// Chained hashes of the batches that a run had seen, by step, from its metrics.jsonl.
std::map<std::int64_t, std::string> batch_hashes(const fs::path& run);

class CompareFolder {
 public:
  /// Makes the folder, or takes up one of the same suite, form and seeds, and keeps others out.
  /// Throws ConfigError for a folder of something else, or of a suite that has changed since;
  /// IoError.
  CompareFolder(fs::path path, const Suite& suite, bool quick);

  const fs::path& path() const { return path_; }
  Job seed_job(const Plan& plan, std::size_t cell, std::int64_t seed) const;
  Job try_job(const Plan& plan, std::size_t cell, double factor) const;

 private:
  fs::path path_;
  std::unique_ptr<files::FolderLock> lock_;
};

/// The learning rate that did best on validation data among the tries of a cell, as a factor;
/// nothing while a try is missing, and where all failed. Of two that are alike the one nearer 1
/// wins.
std::optional<double> best_factor(const Plan& plan, const CompareFolder& folder, std::size_t cell);

}  // namespace weft::compare
