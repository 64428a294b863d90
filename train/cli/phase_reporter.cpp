#include "train/cli/phase_reporter.h"

#include <algorithm>
#include <cstdlib>

#include "train/cli/terminal.h"

namespace weft::cli {
namespace {

constexpr double kReportAfter = 2;  // seconds

double seconds_to_wait() {
  const char* const text = std::getenv("WEFT_TELL_AFTER");
  if (text == nullptr) return kReportAfter;
  char* end = nullptr;
  const double seconds = std::strtod(text, &end);
  return end != text && *end == '\0' && seconds >= 0 && seconds <= 1e6 ? seconds : kReportAfter;
}

}  // namespace

PhaseReporter::PhaseReporter()
    : after_(std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(seconds_to_wait()))) {
  if (after_.count() > 0)
    watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  listen_to_phases(this);
}

PhaseReporter::~PhaseReporter() { listen_to_phases(nullptr); }

void PhaseReporter::begun(std::uint64_t number, const std::string& what) {
  const std::lock_guard lock(mutex_);
  active_.push_back({number, what, Clock::now()});
  if (after_.count() == 0)
    report_innermost(Clock::now());
  else
    changed_.notify_one();
}

void PhaseReporter::ended(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  std::erase_if(active_, [&](const ActivePhase& one) { return one.number == number; });
}

/// Of those that have lasted long enough the innermost says most.
void PhaseReporter::report_innermost(Clock::time_point now) {
  const auto due = std::find_if(active_.rbegin(), active_.rend(),
                                [&](const ActivePhase& one) { return now - one.begin >= after_; });
  if (due == active_.rend() || due->told) return;
  for (auto one = due; one != active_.rend(); ++one) one->told = true;
  put_line("weft is " + due->what);
}

void PhaseReporter::watch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto next = Clock::time_point::max();
    for (const ActivePhase& one : active_)
      if (!one.told) next = std::min(next, one.begin + after_);
    const auto never = [] { return false; };
    if (next == Clock::time_point::max())
      changed_.wait(lock, stop, [&] {
        return std::any_of(active_.begin(), active_.end(),
                           [](const ActivePhase& one) { return !one.told; });
      });
    else
      changed_.wait_until(lock, stop, next, never);
    report_innermost(Clock::now());
  }
}

}  // namespace weft::cli
