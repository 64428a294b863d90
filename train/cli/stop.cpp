#include "train/cli/stop.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "train/compare/worker.h"

namespace weft::cli {
namespace {

std::atomic<int> signal_seen{0};  // any thread may take a signal
std::atomic<bool> user_asked{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free, "a handler may not wait");

extern "C" void note_signal(int number, siginfo_t* info, void*) {
  const bool by_comparison = info->si_code == SI_QUEUE && info->si_value.sival_int == compare::kStopRequest;
  if (!by_comparison && user_asked.exchange(true)) _exit(128 + number);
  signal_seen = number;
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action{};
  action.sa_sigaction = note_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return signal_seen != 0; }

int stop_exit_code() {
  const int seen = signal_seen;
  return seen == 0 ? 0 : 128 + seen;
}

}  // namespace weft::cli
