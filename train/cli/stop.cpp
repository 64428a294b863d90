#include "train/cli/stop.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace weft::cli {
namespace {

std::atomic<int> signal_seen{0};  // any thread may take a signal
static_assert(std::atomic<int>::is_always_lock_free, "a handler may not wait");

extern "C" void note_signal(int number) {
  if (signal_seen.exchange(number) != 0) _exit(128 + number);
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action{};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return signal_seen != 0; }

int stop_exit_code() {
  const int seen = signal_seen;
  return seen == 0 ? 0 : 128 + seen;
}

}  // namespace weft::cli
