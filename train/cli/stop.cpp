#include "train/cli/stop.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "core/io/process.h"
#include "core/leaving.h"

namespace weft::cli {
namespace {

std::atomic<int> signal_seen{0};  // any thread may take a signal
std::atomic<bool> user_asked{false};
std::atomic<int> to_be_saved{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free,
              "a handler may not wait");

/// As nothing else will be said.
void print_stopped(int number) {
  if (number == SIGPIPE) return;  // nobody reads
  constexpr std::string_view kText = "weft: stopped\n";
  if (::write(STDERR_FILENO, kText.data(), kText.size()) < 0) return;
}

extern "C" void note_signal(int number, siginfo_t* info, void*) {
  const int error = errno;
  const bool by_comparison = info->si_code == SI_QUEUE && info->si_value.sival_int == kStopRequest;
  const bool by_user = !by_comparison && (number == SIGINT || number == SIGTERM);
  const bool again = by_user && user_asked.exchange(true);
  if (again || to_be_saved == 0) {
    print_stopped(number);
    leaving::leave(128 + number);
  }
  int none = 0;
  signal_seen.compare_exchange_strong(none, number);
  errno = error;
}

}  // namespace

void open_standard_descriptors() {
  // Each is the lowest that is free in its turn. The kind of access that is not wanted makes
  // reading from or writing to it fail as it did.
  constexpr int kAccess[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int descriptor = 0; descriptor < 3; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF &&
        ::open("/dev/null", kAccess[descriptor]) != descriptor)
      return;
  }
}

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_sigaction = note_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  for (const int number : kStopSignals) {
    struct sigaction before {};
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    ::sigaction(number, &action, nullptr);
  }
  ::signal(SIGXFSZ, SIG_IGN);
}

SaveFirst::SaveFirst() { ++to_be_saved; }
SaveFirst::~SaveFirst() { --to_be_saved; }

bool stop_requested() { return signal_seen != 0; }

int stop_exit_code() {
  const int seen = signal_seen;
  return seen == 0 ? 0 : 128 + seen;
}

}  // namespace weft::cli
