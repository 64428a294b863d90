#include "core/io/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/io/file.h"
#include "core/leaving.h"

namespace weft {
namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

/// Both ends closed by the destructor, or before.
struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      fail<IoError>("process", "cannot create a pipe to a child process: {}", std::strerror(errno));
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  std::array<int, 2> ends{-1, -1};
};

ExitCode exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// Starts a program that dies with this one. `out` and `err` become its stdout and stderr. Throws
/// IoError where it cannot be started: the child says why, and nothing once it is another program.
pid_t spawn(const std::vector<std::string>& command, int out, int err) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  Pipe failure;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {  // only what may be called between fork and exec
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGTERM, SIG_DFL);  // or stop() would not be heard where it is ignored
    if (::getppid() != parent) _exit(127);
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::execv(words[0], words.data());
    const int error = errno;
    [[maybe_unused]] const ssize_t told = ::write(failure.ends[1], &error, sizeof error);
    _exit(127);
  }
  int error = child < 0 ? errno : 0;
  failure.close(1);
  if (child > 0) {
    ssize_t count = 0;
    while ((count = ::read(failure.ends[0], &error, sizeof error)) < 0 && errno == EINTR) {
    }
    if (count <= 0) return child;
    wait_for(child);
  }
  fail<IoError>("process", "{} cannot be started: {}", command[0], std::strerror(error));
}

/// Reads both until both end. False when one holds too much.
bool read_all(Pipe& out, Pipe& err, ProcessOutcome& outcome) {
  std::array<pollfd, 2> polled{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
  const std::array<std::string*, 2> texts{&outcome.out, &outcome.err};
  std::array<char, 65536> buffer;
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;  // interrupted
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      const ssize_t count = ::read(polled[i].fd, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0)
        polled[i].fd = -1;
      else
        texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
      if (texts[i]->size() > kMostBytes) return false;
    }
  }
  return true;
}

}  // namespace

bool is_stop(ExitCode code) {
  return std::any_of(kStopSignals.begin(), kStopSignals.end(),
                     [&](int signal) { return code == 128 + signal; });
}

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::filesystem::path& log) {
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0 && is_disk_full(errno))
    fail<DiskFullError>(log.string(), "cannot be written: {}", std::strerror(errno));
  if (out < 0) fail<IoError>(log.string(), "cannot be written: {}", std::strerror(errno));
  try {
    process_ = spawn(command, out, out);
  } catch (...) {
    ::close(out);
    throw;
  }
  ::close(out);
}

ChildProcess::~ChildProcess() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  wait_for(process_);
}

std::optional<ExitCode> ChildProcess::poll() {
  int status = 0;
  const pid_t ended = ::waitpid(process_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return std::nullopt;
  process_ = -1;
  if (ended < 0) return 127;
  return exit_code(status);
}

void ChildProcess::stop() {
  if (process_ > 0) ::sigqueue(process_, SIGTERM, {.sival_int = kStopRequest});
}

ProcessOutcome run_process(const std::vector<std::string>& command) {
  Pipe out, err;
  const pid_t child = spawn(command, out.ends[1], err.ends[1]);
  ProcessOutcome outcome;
  bool whole = false;
  {
    const leaving::Child killed_at_exit(child);
    out.close(1);
    err.close(1);
    whole = read_all(out, err, outcome);
    if (!whole) ::kill(child, SIGKILL);
    siginfo_t ended{};  // not reaped yet: until then nobody else gets its number
    while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR) {
    }
  }
  const int status = wait_for(child);
  if (!whole)
    fail<IoError>("process", "the command printed more than {} MiB: {}", kMostBytes >> 20,
                  command.back());
  outcome.code = exit_code(status);
  return outcome;
}

ProcessOutcome run_shell(const std::string& command) {
  return run_process({"/bin/sh", "-c", command});
}

}  // namespace weft
