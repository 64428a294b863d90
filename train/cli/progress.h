// How a run goes on, on stderr: a bar on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "train/loop/clock_text.h"
#include "train/loop/trainer.h"

namespace weft::cli {

/// "12.3k", "1.20M".
std::string short_number(double value);
using train::clock_text;

/// Draws at most ten times a second. Without a terminal, or on a dumb one, a line for each
/// evaluation and one now and then. NO_COLOR is respected.
class ProgressBar : public train::Observer {
 public:
  explicit ProgressBar(std::string title);
  ~ProgressBar() override;

  void on_start(std::int64_t parameters, std::int64_t first_step, std::int64_t steps,
                const std::string& unit) override;
  void on_step(const train::StepRecord& record) override;
  void on_evaluating(double share) override;
  void on_evaluation(const train::StepRecord& record) override;
  void on_note(const std::string& text) override;
  /// Takes the bar away, so that something else can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void draw(bool at_once);
  std::string figures() const;
  std::string color(const char* code, const std::string& text) const;

  std::string title_;
  bool terminal_;
  bool colors_;
  bool unicode_;
  bool drawn_ = false;
  bool evaluating_ = false;
  double share_evaluated_ = 0;
  Clock::time_point report_evaluation_at_{};
  std::string unit_;
  train::StepRecord latest_;
  train::Evaluation validation_;
  std::int64_t first_step_ = 0;
  std::int64_t steps_ = 0;
  double smooth_loss_ = std::numeric_limits<double>::quiet_NaN();  ///< before the first step
  std::chrono::steady_clock::time_point begin_ = Clock::now();
  std::chrono::steady_clock::time_point last_drawn_{};
};

}  // namespace weft::cli
