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

  /// Tries of learning rates, then the runs of each seed.
  std::vector<Job> all() const;
  /// A few steps of every cell whose pace has to be measured and is not yet; writes their
  /// configurations.
  std::deque<Job> paces() const;
  /// Gives every cell the steps that its measured pace allows. Throws ConfigError where it could
  /// not be measured.
  static void take_paces(Plan& plan, const CompareFolder& folder);

  /// Runs that an earlier version began go on by its rules (which examples validate, how batches
  /// weigh): new ones beside them would be measured in another way. Throws ConfigError.
  void refuse_mixture() const;

  Metric metric_of(const Job& job) const;
  Status status_of(const Job& job) const;
  bool tries_left(std::size_t cell) const;   ///< of a cell's learning rates, one that has no result
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
