#include "train/compare/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/process.h"
#include "train/compare/grid.h"
#include "train/compare/jobs.h"

namespace weft::compare {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPollEvery = std::chrono::milliseconds(10);
constexpr auto kReportInterval = std::chrono::milliseconds(200);
constexpr auto kRecheckInterval = std::chrono::seconds(1);  // whether a run is still held
constexpr int kMostRestarts = 3;                            // of a child that somebody else stopped
constexpr std::uintmax_t kFullDisk = 1 << 20;

struct Running {
  Job job;
  ChildProcess worker;
  Clock::time_point begin;
};

class Runner {
 public:
  Runner(Plan& plan, const CompareFolder& folder, const RunnerOptions& options)
      : plan_(plan), folder_(folder), options_(options), jobs_(plan, folder, options.retry) {
    progress_.plan = &plan;
    progress_.wanted = plan.runs() + plan.tries();
    progress_.values.resize(plan.cells.size());
    seconds_of_.resize(plan.cells.size());
  }

  bool run() {
    jobs_.refuse_mixture();
    if (plan_.suite.budget.equal == Equal::seconds) {
      for (const bool rough : {true, false})
        if (!run_all(jobs_.paces(rough, options_.jobs))) return false;
      Jobs::take_paces(plan_, folder_);
    }
    for (const Job& job : jobs_.all()) add(job);
    for (std::size_t task = 0; task < plan_.suite.tasks.size(); ++task) extend_grid(task);
    return run_all(std::exchange(waiting_, {}));
  }

 private:
  // What is left to do, in order; what is done already is counted.
  void add(const Job& job) {
    jobs_.clear_failure(job);
    seen_.insert(job.folder.string());
    const bool undecided =
        !job.factor &&
        plan_.tunes();  // what is done may have another learning rate than the cell has now
    if (undecided || jobs_.status_of(job) == Status::missing) {
      if (job.factor) ++tries_left_[plan_.cells[job.cell].task];
      waiting_.push_back(job);
    } else {
      count(job, 0);
    }
  }

  /// Once all tries of a task have ended: its grid is decided, or goes on with more of them.
  void extend_grid(std::size_t task) {
    while (tries_left_[task] == 0 && !grids_[task].decided) {
      Grid& grid = grids_[task];
      grid = grid_of(plan_, folder_, task);
      if (grid.decided) break;
      std::deque<Job> more;
      for (const Job& job : jobs_.tries(task, grid.factors)) {
        if (!seen_.insert(job.folder.string()).second) continue;
        ++progress_.wanted;
        jobs_.clear_failure(job);
        if (jobs_.status_of(job) == Status::missing)
          more.push_back(job);
        else
          count(job, 0);
      }
      tries_left_[task] = std::ssize(more);
      waiting_.insert(waiting_.begin(), more.begin(), more.end());
    }
  }

  /// Whether a job can begin: its configuration is decided. A cell whose tries all failed has none,
  /// and its runs fail with it.
  bool ready(const Job& job) {
    if (is_pace(job)) return true;
    double factor = job.factor.value_or(1);
    if (!job.factor) {
      if (prepared_.contains(job.cell)) return true;
      const Grid& grid = grids_[plan_.cells[job.cell].task];
      if (!grid.decided) return false;
      const auto best = best_factor(plan_, folder_, job.cell, grid);
      if (!best) {
        record_failure(job, "every learning rate that was tried failed");
        return false;
      }
      factor = *best;
      prepared_.insert(job.cell);
    }
    const auto config = plan_.kind->copy(*plan_.cells[job.cell].config);
    config->lr *= factor;
    config->optimizer.as<train::OptimizerOptions>().scale_lr(factor);
    jobs_.write_config(job, *config);
    return true;
  }

  void start(const Job& job) {
    std::error_code error;
    bool resume = fs::exists(job.folder / "config.json", error);
    if (!resume && fs::exists(job.folder, error))
      fs::remove_all(job.folder, error);  // ours, and nothing in it yet
    make_folder(job.folder.parent_path());
    running_.push_back(
        {job, ChildProcess(jobs_.command(job, options_.program, resume), job.log()), Clock::now()});
  }

  void finished(const Job& job, double seconds) {
    count(job, seconds);
    if (!job.factor || is_pace(job)) return;
    const std::size_t task = plan_.cells[job.cell].task;
    if (--tries_left_[task] == 0) tried_.push_back(task);
  }

  void count(const Job& job, double seconds) {
    if (is_pace(job)) return;
    const RunResult result = checked_result(plan_, job, jobs_.metric_of(job));
    ++progress_.done;
    if (result.status == Status::failed)
      ++progress_.failed;
    else if (!job.factor)
      progress_.values[job.cell].push_back(result.value);
    if (seconds > 0) seconds_of_[job.cell].push_back(seconds);
  }

  void ended(const Job& job, ExitCode code, double seconds) {
    std::error_code ignored;
    const Status status = jobs_.status_of(job);
    if (code == 0 ||
        status ==
            Status::done) {  // where it is done and says otherwise, only its last words failed
      if (status == Status::missing)
        record_failure(job, "it ended without a summary");
      else if (code == 0)
        fs::remove(job.log(), ignored);
      finished(job, seconds);
      return;
    }
    const bool asked = is_stop(code);
    if (asked && stopping_) return;
    if (files::is_held(job.folder)) {  // somebody was faster
      waiting_.push_front(job);
      return;
    }
    if (asked && ++restarts_[job.folder.string()] <= kMostRestarts) {
      waiting_.push_front(job);
      return;
    }
    const std::string words = end_of_log(job.log());
    if (code == kDiskFull || fs::space(folder_.path(), ignored).available < kFullDisk) {
      end_for_full_disk(words);
      return;
    }
    record_failure(job, words.empty() ? code > 128
                                            ? fmt::format("ended by signal {}{}", code - 128,
                                                          code == 137 ? " (out of memory?)" : "")
                                            : fmt::format("exit code {}", code)
                                      : words);
    finished(job, seconds);
  }

  /// A run that has ended already is taken as it is: true. One with another learning rate than its
  /// cell's is made anew.
  bool take(const Job& job) {
    std::error_code ignored;
    if (!job.factor && jobs_.status_of(job) != Status::failed && has_other_rate(job))
      fs::remove_all(job.folder, ignored);
    if (jobs_.status_of(job) == Status::missing) return false;
    finished(job, 0);
    return true;
  }

  /// A disk that is full for the comparison itself: its runs may save, and then it ends.
  template <class F>
  void unless_disk_full(const F& f) {
    try {
      f();
    } catch (const DiskFullError& error) {
      end_for_full_disk(error.what());
    }
  }

  void end_for_full_disk(const std::string& why) {
    if (!disk_full_) disk_full_ = why;
    stop_all();
  }

  void stop_all() {
    stopping_ = true;
    for (Running& one : running_) one.worker.stop();
  }

  /// Begins a waiting job, or takes what it has come to already; false where it has to wait.
  bool resume_or_start(const Job& job) {
    const bool room = static_cast<int>(running_.size()) < options_.jobs;
    if (jobs_.status_of(job) == Status::missing) {
      if (!room) return false;
      if (files::is_held(job.folder)) {  // by a child of a comparison that was killed a moment ago,
                                         // or by the user's own --resume
        progress_.held = job.folder;
        next_check_ = Clock::now() + kRecheckInterval;
        return false;
      }
    }
    if (!ready(job)) {
      if (jobs_.status_of(job) != Status::failed) return false;
      finished(job, 0);
      return true;
    }
    if (take(job)) return true;
    if (!room) return false;  // it was done, with another learning rate
    start(job);
    return true;
  }

  /// Fills free places.
  void fill() {
    if (!changed_) return;
    changed_ = false;
    progress_.held.clear();
    for (auto job = waiting_.begin(); job != waiting_.end();)
      job = resume_or_start(*job) ? waiting_.erase(job) : std::next(job);
  }

  void tell(bool at_once) {
    const auto now = Clock::now();
    if (!options_.observer || (!at_once && now - last_report_ < kReportInterval)) return;
    last_report_ = now;
    progress_.running = std::ssize(running_);
    progress_.seconds = std::chrono::duration<double>(now - begin_).count();
    double all = 0, left = 0;
    std::int64_t count = 0;
    for (const auto& seconds : seconds_of_) {
      for (const double s : seconds) all += s, ++count;
    }
    for (const Job& job : waiting_) {
      const auto& own = seconds_of_[job.cell];
      double sum = 0;
      for (const double s : own) sum += s;
      left += own.empty() ? (count > 0 ? all / static_cast<double>(count) : INFINITY)
                          : sum / static_cast<double>(own.size());
    }
    if (!running_.empty() && count > 0)
      left += 0.5 * all / static_cast<double>(count) * static_cast<double>(running_.size());
    progress_.seconds_left = left / options_.jobs;
    options_.observer(progress_);
  }

  bool run_all(std::deque<Job> jobs) {
    waiting_ = std::move(jobs);
    changed_ = true;
    while (true) {
      if (!stopping_ && options_.stop && options_.stop()) stop_all();
      if (!progress_.held.empty() && Clock::now() > next_check_) changed_ = true;
      for (auto one = running_.begin(); one != running_.end();) {
        const auto code = one->worker.poll();
        if (!code) {
          ++one;
          continue;
        }
        const Job job = one->job;
        const double seconds = std::chrono::duration<double>(Clock::now() - one->begin).count();
        one = running_.erase(one);
        changed_ = true;
        unless_disk_full([&] { ended(job, *code, seconds); });
      }
      if (!stopping_) {
        for (const std::size_t task : std::exchange(tried_, {})) {
          extend_grid(task);
          changed_ = true;
        }
        unless_disk_full([&] { fill(); });
      }
      tell(false);
      if (running_.empty() && (stopping_ || (waiting_.empty() && tried_.empty()))) break;
      std::this_thread::sleep_for(kPollEvery);
    }
    tell(true);
    if (disk_full_) {
      const bool by_limit = disk_full_->find("ulimit -f") != std::string::npos;
      fail<DiskFullError>(
          folder_.path().string(),
          "{}; finished runs are kept: {}, and continue with the same command",
          by_limit ? "a file would be larger than `ulimit -f` allows" : "the disk is full",
          by_limit ? "raise that limit" : "make room");
    }
    return !stopping_;
  }

  Plan& plan_;
  const CompareFolder& folder_;
  const RunnerOptions& options_;
  const Jobs jobs_;
  CompareProgress progress_;
  std::deque<Job> waiting_;
  std::list<Running> running_;
  std::map<std::string, int> restarts_;
  std::vector<std::vector<double>> seconds_of_;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_report_{};
  std::set<std::size_t> prepared_;                  ///< cells whose learning rate is chosen
  std::map<std::size_t, Grid> grids_;               ///< by task
  std::map<std::size_t, std::int64_t> tries_left_;  ///< by task: those that have not ended
  std::vector<std::size_t> tried_;  ///< tasks whose tries have ended since grids were looked at
  std::set<std::string> seen_;      ///< folders of jobs that are counted
  Clock::time_point next_check_{};
  bool changed_ = true;  ///< since places were last filled
  bool stopping_ = false;
  std::optional<std::string> disk_full_;  ///< what was said of it
};

}  // namespace

bool run_plan(Plan& plan, const CompareFolder& folder, const RunnerOptions& options) {
  return Runner(plan, folder, options).run();
}

}  // namespace weft::compare
