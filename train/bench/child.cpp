#include "train/bench/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/leaving.h"

namespace weft::bench {
namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

/// Both ends closed by the destructor, or before.
struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      fail<IoError>("bench", "no pipe to a child: {}", std::strerror(errno));
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

pid_t spawn(const std::vector<std::string>& command, const Pipe& out, const Pipe& err) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  pid_t child = -1;
  const int error = ::posix_spawn(&child, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    fail<IoError>("bench", "{} cannot be started: {}", command[0], std::strerror(error));
  return child;
}

/// Reads both until both end. False when one holds too much.
bool read_all(Pipe& out, Pipe& err, ChildOutcome& outcome) {
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

ChildOutcome run_child(const std::vector<std::string>& command) {
  Pipe out, err;
  const pid_t child = spawn(command, out, err);
  ChildOutcome outcome;
  bool whole = false;
  {
    const leaving::Child ended_with_us(child);
    out.close(1);
    err.close(1);
    whole = read_all(out, err, outcome);
    if (!whole) ::kill(child, SIGKILL);
    siginfo_t ended{};  // not reaped yet: until then nobody else gets its number
    while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR) {
    }
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!whole)
    fail<IoError>("bench", "the command printed more than {} MiB: {}", kMostBytes >> 20,
                  command.back());
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

ChildOutcome run_shell(const std::string& command) { return run_child({"/bin/sh", "-c", command}); }

}  // namespace weft::bench
