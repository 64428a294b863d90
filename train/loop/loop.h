// One run in progress: what run_training() does, step by step.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "optim/ema.h"
#include "optim/lr_schedule.h"
#include "optim/optimizer.h"
#include "train/loop/run_folder.h"
#include "train/loop/target.h"
#include "train/loop/trainer.h"

namespace weft::train {

inline constexpr double kLoopMiB = 1024.0 * 1024.0;

class Loop {
 public:
  Loop(Task& task, const RunConfig& config, std::string config_json, std::int64_t steps,
       const RunFolder& folder, const RunOptions& options);

  /// Whether the run came to its end.
  bool run();
  const Progress& progress() const { return progress_; }
  /// Judges the weights that are saved for use: the average where there is one.
  Evaluation evaluate(data::Split split, bool& complete);
  /// The same of what evaluations look at while training goes on.
  Evaluation evaluate_validation(bool& complete);

 private:
  using Clock = std::chrono::steady_clock;

  /// What a step's batches gave.
  struct Gradients {
    BatchRecord seen{};
    double loss = 0;                                         ///< mean over the step's targets
    double norm = std::numeric_limits<double>::quiet_NaN();  ///< before clipping
  };
  /// What forward passes change (of batch norms), and what it was before the step.
  struct Statistic {
    Tensor now, before;
  };

  void resume_or_start();
  void trim(std::int64_t step);
  std::optional<StepRecord> step();
  Gradients gradients();
  void scale_gradients(double factor);
  std::string find_nan_source(const std::map<std::string, std::uint64_t>& streams);
  void skip(std::int64_t number, const Gradients& found);
  Evaluation judge(const std::function<Evaluation(const std::function<bool(double)>&)>& measure,
                   bool& complete);
  bool save_or_note(const std::filesystem::path& path, bool must);
  void note(const std::string& text) const {
    if (options_.observer != nullptr) options_.observer->on_note(text);
  }
  /// Does f(), of which nothing is kept if it has to stop in the middle: false.
  bool unless_stopped(const std::function<void()>& f) const;
  bool look(StepRecord& record);
  void save(const std::filesystem::path& path);
  bool stop_wanted() const { return options_.stop && options_.stop(); }
  bool finished() const { return progress_.step >= steps_ || progress_.reached_target; }
  std::string last_good() const;
  void report_time();
  std::string to_line(const StepRecord& record) const;

  Task& task_;
  const RunConfig& config_;
  std::string config_json_;
  std::int64_t steps_;
  const RunFolder& folder_;
  const RunOptions& options_;
  optim::NamedTensors parameters_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  optim::LrSchedule schedule_;
  std::vector<Statistic> statistics_;  ///< where steps may be left out or dropped
  Target target_;
  std::optional<optim::Ema> ema_;
  Progress progress_;
  std::int64_t saved_step_ = -1;
  std::optional<files::LineWriter> metrics_;
  bool disk_full_ = false;
  double recent_rate_ = 0;
  Clock::time_point begin_ = Clock::now();
  double seconds_before_ = 0;
};

}  // namespace weft::train
