// What the runs of a comparison are, which of them are there, and what each is started with.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "train/compare/run_results.h"

namespace weft::compare {

/// The jobs of a plan in its folder. Whether they run at the moment is the runner's to know.
class Jobs {
 public:
  /// With `retry`, what failed is made again.
  Jobs(const Plan& plan, const CompareFolder& folder, bool retry)
      : plan_(plan), folder_(folder), retry_(retry) {}

  /// Tries of the learning rates that are declared, then the runs of each seed.
  std::vector<Job> all() const;
  /// Every tuning seed of every arm of a task with each of these factors.
  std::vector<Job> tries(std::size_t task, const std::vector<double>& factors) const;
  /// What measures the pace of a budget in seconds and has not been run yet; writes its
  /// configurations. First (`rough`) a few steps of every cell, then kPaceRounds times as many as
  /// take a quarter of the budget, the cells in turn, and more rounds where the machine would not
  /// be as loaded as it will be with so many runs at a time.
  std::deque<Job> paces(bool rough, int jobs) const;
  /// Gives every cell the steps that its measured pace allows, by the median of its rounds. Throws
  /// ConfigError where it could not be measured.
  static void take_paces(Plan& plan, const CompareFolder& folder);

  /// Runs that an earlier version began go on by its rules (which examples validate, how batches
  /// weigh): new ones beside them would be measured in another way. Throws ConfigError.
  void refuse_mixture() const;

  Metric metric_of(const Job& job) const;
  Status status_of(const Job& job) const;
  void clear_failure(const Job& job) const;  ///< where failed runs are made again
  void write_config(const Job& job, const train::RunConfig& config) const;
  /// The words of its child process.
  std::vector<std::string> command(const Job& job, const fs::path& program, bool resume) const;

 private:
  const Plan& plan_;
  const CompareFolder& folder_;
  bool retry_;
};

bool is_pace(const Job& job);
/// Whether a run has another learning rate than its cell has now, as one that was tried anew with
/// --retry may be better than that which was taken before.
bool has_other_rate(const Job& job);
void record_failure(const Job& job, const std::string& why);
void make_folder(const fs::path& folder);  ///< Throws DiskFullError, IoError.
std::string end_of_log(
    const fs::path& log);  ///< the error that a run ended with; empty: none is there

}  // namespace weft::compare
