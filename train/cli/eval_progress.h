// How far a measurement is, on stderr, once it takes longer than one likes to wait without a word.
#pragma once

#include <chrono>

namespace weft::cli {

/// On a terminal a line that is drawn again, elsewhere a line now and then.
class EvalProgress {
 public:
  EvalProgress();
  ~EvalProgress();
  EvalProgress(const EvalProgress&) = delete;
  EvalProgress& operator=(const EvalProgress&) = delete;

  /// `share` from 0 to 1.
  void show(double share);

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  bool drawn_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_{};  ///< long ago: the first is told at once
};

}  // namespace weft::cli
