// Other programs: started, waited for, asked to stop. The one place where weft starts any. Not for
// users.
#pragma once

#include <sys/types.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// How a process ended: its exit status, or 128 + the signal that ended it.
using ExitCode = int;

/// What weft exits with where the disk is full: nothing is wrong with the run.
constexpr ExitCode kDiskFull = 3;

/// Signals that ask weft to save and end: the user's and the terminal's, nobody reading on, and a
/// scheduler's warnings that time is running out. It exits with 128 + their number, and is not to
/// blame.
inline constexpr std::array kStopSignals = {SIGINT,  SIGTERM, SIGHUP, SIGPIPE,
                                            SIGUSR1, SIGUSR2, SIGXCPU};
bool is_stop(ExitCode code);

/// Comes with the SIGTERM of stop(). Ctrl-C reaches parent and child alike, so that it must be told
/// from the user's second one, which ends at once.
constexpr int kStopRequest = 0x77656674;

/// Ends with this program: when it dies, however, so does the child (and its run goes on from its
/// last checkpoint another time).
class ChildProcess {
 public:
  /// What the child prints goes to `log`, written anew. Throws IoError when it cannot be started.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept : process_(other.process_) { other.process_ = -1; }
  ChildProcess& operator=(ChildProcess&&) = delete;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Nothing while it runs.
  std::optional<ExitCode> poll();
  /// Asks it to save and end.
  void stop();

 private:
  pid_t process_ = -1;
};

/// What a process that ran to its end printed.
struct ProcessOutcome {
  ExitCode code = -1;
  std::string out;  ///< stdout
  std::string err;  ///< stderr
};

/// Runs a program to its end, with nothing to read on stdin. Throws IoError when it cannot be
/// started, or prints more than 16 MiB.
ProcessOutcome run_process(const std::vector<std::string>& command);
/// By /bin/sh.
ProcessOutcome run_shell(const std::string& command);

}  // namespace weft
