// Says on stderr what takes long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/phase.h"

namespace weft::cli {

/// Tells of a phase when it has lasted two seconds, in a line of its own: "weft is reading
/// words.txt". The environment variable WEFT_TELL_AFTER says other seconds; 0 tells of each as it
/// begins.
class PhaseReporter : public PhaseListener {
 public:
  PhaseReporter();
  ~PhaseReporter() override;
  PhaseReporter(const PhaseReporter&) = delete;
  PhaseReporter& operator=(const PhaseReporter&) = delete;

  void begun(std::uint64_t number, const std::string& what) override;
  void ended(std::uint64_t number) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct ActivePhase {
    std::uint64_t number;
    std::string what;
    Clock::time_point begin;
    bool told = false;
  };

  void watch(const std::stop_token& stop);
  void report_innermost(Clock::time_point now);

  Clock::duration after_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<ActivePhase> active_;  ///< in the order of their beginning
  std::jthread watcher_;             ///< none where each is told of at once
};

}  // namespace weft::cli
