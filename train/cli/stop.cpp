#include "train/cli/stop.h"

#include <unistd.h>

#include <csignal>

namespace weft::cli {
namespace {

volatile std::sig_atomic_t signal_seen = 0;

extern "C" void note_signal(int number) {
  if (signal_seen != 0) _exit(128 + number);
  signal_seen = number;
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

int stop_exit_code() { return signal_seen == 0 ? 0 : 128 + signal_seen; }

}  // namespace weft::cli
