#include "train/compare/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/process.h"
#include "train/loop/run_folder.h"

namespace weft::compare {
namespace {

using RunnerClock = std::chrono::steady_clock;

constexpr auto kPollEvery = std::chrono::milliseconds(10);
constexpr auto kReportInterval = std::chrono::milliseconds(200);
constexpr auto kRecheckInterval = std::chrono::seconds(1);  // whether a run is still held
constexpr int kMostRestarts = 3;                            // of a child that somebody else stopped
constexpr std::uintmax_t kFullDisk = 1 << 20;
constexpr std::int64_t kPaceSteps = 20;  // enough to tell how long one takes

struct Running {
  Job job;
  ChildProcess worker;
  RunnerClock::time_point begin;
};

class Runner {
 public:
  Runner(Plan& plan, const CompareFolder& folder, const RunnerOptions& options)
      : plan_(plan), folder_(folder), options_(options) {
    progress_.plan = &plan;
    progress_.wanted = plan.runs() + plan.tries();
    progress_.values.resize(plan.cells.size());
    seconds_of_.resize(plan.cells.size());
  }

  bool run() {
    refuse_mixture();
    if (plan_.suite.budget.equal == Equal::seconds && !run_all(pace_jobs())) return false;
    if (plan_.suite.budget.equal == Equal::seconds) take_paces();
    for (const Job& job : all_jobs()) add(job);
    return run_all(std::exchange(waiting_, {}));
  }

 private:
  /// Tries of learning rates, then the runs of each seed.
  std::vector<Job> all_jobs() const {
    std::vector<Job> jobs;
    for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell) {
      if (plan_.suite.lr_factors.size() == 1) continue;
      for (const double factor : plan_.suite.lr_factors)
        jobs.push_back(folder_.try_job(plan_, cell, factor));
    }
    for (const std::int64_t seed : plan_.suite.seeds)
      for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell)
        jobs.push_back(folder_.seed_job(plan_, cell, seed));
    return jobs;
  }

  /// Runs that an earlier version began go on by its rules (which examples validate, how batches
  /// weigh): new ones beside them would be measured in another way.
  void refuse_mixture() const {
    std::int64_t earliest = train::kConfigFormat;
    bool to_begin = false;
    for (const Job& job : all_jobs()) {
      const fs::path config = job.folder / "config.json";
      std::error_code error;
      if (fs::exists(config, error)) {
        const auto json = read_config(config);
        const bool said =
            json.is_object() && json.contains("format") && json["format"].is_number_integer();
        earliest = std::min(earliest, said ? json["format"].get<std::int64_t>() : 1);
      } else {
        const Status status = status_of(job);
        to_begin =
            to_begin || status == Status::missing || (options_.retry && status == Status::failed);
      }
    }
    if (to_begin && earliest < train::kConfigFormat)
      fail<ConfigError>(folder_.path().string(),
                        "holds runs of an earlier version (format {} of config.json, this one "
                        "writes {}), whose rules for training and validation data were different: "
                        "new runs could not be compared with them; choose another --out",
                        earliest, train::kConfigFormat);
  }

  static nlohmann::json read_config(const fs::path& file) {
    return nlohmann::json::parse(read_file(file.string(), train::kMaxConfigBytes), nullptr, false);
  }

  // What is left to do, in order; what is done already is counted.
  void add(const Job& job) {
    clear_failure(job);
    const bool undecided =
        !job.factor && plan_.suite.lr_factors.size() >
                           1;  // what is done may have another learning rate than the cell has now
    if (undecided || status_of(job) == Status::missing)
      waiting_.push_back(job);
    else
      finished(job, 0);
  }

  /// With --retry what failed is made again; what somebody goes on with by hand is left to them.
  void clear_failure(const Job& job) {
    if (!options_.retry || status_of(job) != Status::failed) return;
    std::error_code ignored;
    fs::remove(job.failed(), ignored);
    if (!files::is_held(job.folder)) fs::remove_all(job.folder, ignored);
  }

  /// Whether a run has another learning rate than its cell has now, as one that was tried anew with
  /// --retry may be better than that which was taken before.
  static bool has_other_rate(const Job& job) {
    const fs::path own = job.folder / "config.json";
    std::error_code error;
    if (!fs::exists(own, error)) return false;
    const auto rates = [](const fs::path& config) {
      auto json = read_config(config);
      return json.is_object() ? std::pair(json["lr"], json["muon_lr"])
                              : std::pair<nlohmann::json, nlohmann::json>();
    };
    return rates(own) != rates(job.config);
  }

  Metric metric_of(const Job& job) const {
    Metric metric = plan_.task(plan_.cells[job.cell]).metric;
    if (job.factor) metric.name = validation_metric(metric.name);
    return metric;
  }
  Status status_of(const Job& job) const { return read_result(job, metric_of(job).name).status; }

  std::deque<Job> pace_jobs() {
    std::deque<Job> jobs;
    for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell) {
      if (!plan_.cells[cell].equal) continue;
      Job job = folder_.seed_job(plan_, cell, plan_.tuning_seed);
      job.folder.replace_filename("pace");
      job.config.replace_extension(".pace.json");
      job.factor = 1;
      clear_failure(job);
      if (status_of(job) == Status::missing) {
        const auto config = plan_.kind->copy(*plan_.cells[cell].config);
        plan_.kind->set_steps(*config, kPaceSteps, *plan_.cells[cell].data);
        config->warmup = 0;  // it may be longer than these few steps
        write_config(job, *config);
        jobs.push_back(job);
      }
    }
    return jobs;
  }

  void take_paces() {
    for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell) {
      if (!plan_.cells[cell].equal) continue;
      Job job = folder_.seed_job(plan_, cell, plan_.tuning_seed);
      job.folder.replace_filename("pace");
      const RunResult result =
          read_result(job, validation_metric(plan_.task(plan_.cells[cell]).metric.name));
      if (result.status != Status::done || result.steps < 1)
        fail<ConfigError>(job.folder.string(),
                          "its speed could not be measured: {}; repeat it with --retry",
                          result.error);
      set_pace(plan_, plan_.cells[cell], result.seconds / static_cast<double>(result.steps));
    }
  }

  static void make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (is_disk_full(error.value()))
      fail<DiskFullError>(folder.string(), "cannot be created: {}", error.message());
    if (error) fail<IoError>(folder.string(), "cannot be created: {}", error.message());
  }

  void write_config(const Job& job, const train::RunConfig& config) const {
    make_folder(job.config.parent_path());
    write_file(job.config.string(), train::to_json(*plan_.kind, config));
  }

  /// Whether a job can begin: its configuration is decided. A cell whose tries all failed has none,
  /// and its runs fail with it.
  bool ready(const Job& job) {
    if (job.config.extension() == ".json" && job.config.stem().extension() == ".pace") return true;
    double factor = job.factor.value_or(1);
    if (!job.factor) {
      if (prepared_.contains(job.cell)) return true;
      const auto best = best_factor(plan_, folder_, job.cell);
      if (!best && tries_left(job.cell)) return false;
      if (!best) {
        fail_job(job, "every learning rate that was tried failed");
        return false;
      }
      factor = *best;
      prepared_.insert(job.cell);
    }
    const auto config = plan_.kind->copy(*plan_.cells[job.cell].config);
    config->lr *= factor;
    config->muon_lr *= factor;
    write_config(job, *config);
    return true;
  }

  bool tries_left(std::size_t cell) const {
    return plan_.suite.lr_factors.size() > 1 &&
           std::any_of(plan_.suite.lr_factors.begin(), plan_.suite.lr_factors.end(),
                       [&](double factor) {
                         return status_of(folder_.try_job(plan_, cell, factor)) == Status::missing;
                       });
  }

  void fail_job(const Job& job, const std::string& why) {
    std::error_code ignored;
    fs::create_directories(job.folder.parent_path(), ignored);
    write_file(job.failed().string(), why + "\n");
  }

  std::vector<std::string> command(const Job& job, bool resume) const {
    std::vector<std::string> words{options_.program.string(), "train", plan_.kind->name()};
    if (resume)
      words.insert(words.end(), {"--resume", "--out", job.folder.string(), "--threads", "1"});
    else
      words.insert(words.end(),
                   {"--config", job.config.string(), "--seed", std::to_string(job.seed),
                    "--threads", "1", "--no-estimate", "--out", job.folder.string()});
    if (job.factor) words.push_back("--no-test");
    return words;
  }

  void start(const Job& job) {
    std::error_code error;
    bool resume = fs::exists(job.folder / "config.json", error);
    if (!resume && fs::exists(job.folder, error))
      fs::remove_all(job.folder, error);  // ours, and nothing in it yet
    make_folder(job.folder.parent_path());
    running_.push_back({job, ChildProcess(command(job, resume), job.log()), RunnerClock::now()});
  }

  void finished(const Job& job, double seconds) {
    const RunResult result = read_result(job, metric_of(job).name);
    if (job.folder.filename() == "pace") return;
    ++progress_.done;
    if (result.status == Status::failed)
      ++progress_.failed;
    else if (!job.factor)
      progress_.values[job.cell].push_back(result.value);
    if (seconds > 0) seconds_of_[job.cell].push_back(seconds);
  }

  static std::string end_of_log(const fs::path& log) {
    std::string text;
    try {
      text = read_file(log.string(), 1 << 20);
    } catch (const Error&) {
      return "";
    }
    const auto place = text.rfind("weft: ");
    if (place != std::string::npos &&
        (place == 0 || text[place - 1] == '\n' || text[place - 1] == 'K'))
      text = text.substr(place + 6);
    while (text.ends_with('\n')) text.pop_back();
    const auto line = text.rfind('\n');
    return line == std::string::npos ? text : text.substr(line + 1);
  }

  void ended(const Job& job, ExitCode code, double seconds) {
    std::error_code ignored;
    const Status status = status_of(job);
    if (code == 0 ||
        status ==
            Status::done) {  // where it is done and says otherwise, only its last words failed
      if (status == Status::missing)
        fail_job(job, "it ended without a summary");
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
    fail_job(job, words.empty() ? code > 128 ? fmt::format("ended by signal {}{}", code - 128,
                                                           code == 137 ? " (out of memory?)" : "")
                                             : fmt::format("exit code {}", code)
                                : words);
    finished(job, seconds);
  }

  /// A run that has ended already is taken as it is: true. One with another learning rate than its
  /// cell's is made anew.
  bool take(const Job& job) {
    std::error_code ignored;
    if (!job.factor && status_of(job) != Status::failed && has_other_rate(job))
      fs::remove_all(job.folder, ignored);
    if (status_of(job) == Status::missing) return false;
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
    if (status_of(job) == Status::missing) {
      if (!room) return false;
      if (files::is_held(job.folder)) {  // by a child of a comparison that was killed a moment ago,
                                         // or by the user's own --resume
        progress_.held = job.folder;
        next_check_ = RunnerClock::now() + kRecheckInterval;
        return false;
      }
    }
    if (!ready(job)) {
      if (status_of(job) != Status::failed) return false;
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
    const auto now = RunnerClock::now();
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
      if (!progress_.held.empty() && RunnerClock::now() > next_check_) changed_ = true;
      for (auto one = running_.begin(); one != running_.end();) {
        const auto code = one->worker.poll();
        if (!code) {
          ++one;
          continue;
        }
        const Job job = one->job;
        const double seconds =
            std::chrono::duration<double>(RunnerClock::now() - one->begin).count();
        one = running_.erase(one);
        changed_ = true;
        unless_disk_full([&] { ended(job, *code, seconds); });
      }
      if (!stopping_) unless_disk_full([&] { fill(); });
      tell(false);
      if (running_.empty() && (stopping_ || waiting_.empty())) break;
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
  CompareProgress progress_;
  std::deque<Job> waiting_;
  std::list<Running> running_;
  std::map<std::string, int> restarts_;
  std::vector<std::vector<double>> seconds_of_;
  RunnerClock::time_point begin_ = RunnerClock::now();
  RunnerClock::time_point last_report_{};
  std::set<std::size_t> prepared_;  ///< cells whose learning rate is chosen
  RunnerClock::time_point next_check_{};
  bool changed_ = true;  ///< since places were last filled
  bool stopping_ = false;
  std::optional<std::string> disk_full_;  ///< what was said of it
};

}  // namespace

bool run_plan(Plan& plan, const CompareFolder& folder, const RunnerOptions& options) {
  return Runner(plan, folder, options).run();
}

}  // namespace weft::compare
