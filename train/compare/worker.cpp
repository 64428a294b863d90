#include "train/compare/worker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/file.h"

namespace weft::compare {

bool is_stop(ExitCode code) {
  return std::any_of(kStopSignals.begin(), kStopSignals.end(),
                     [&](int signal) { return code == 128 + signal; });
}

Worker::Worker(const std::vector<std::string>& command, const std::filesystem::path& log) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0 && is_disk_full(errno))
    fail<DiskFullError>(log.string(), "cannot be written: {}", std::strerror(errno));
  if (out < 0) fail<IoError>(log.string(), "cannot be written: {}", std::strerror(errno));
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {  // only what may be called between fork and exec
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGTERM, SIG_DFL);  // or stop() would not be heard where it is ignored
    if (::getppid() != parent) _exit(127);
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(words[0], words.data());
    _exit(127);
  }
  ::close(out);
  if (process_ < 0)
    fail<IoError>("compare", "{} cannot be started: {}", command[0], std::strerror(errno));
}

Worker::~Worker() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ExitCode> Worker::poll() {
  int status = 0;
  const pid_t ended = ::waitpid(process_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return std::nullopt;
  process_ = -1;
  if (ended < 0) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Worker::stop() {
  if (process_ > 0) ::sigqueue(process_, SIGTERM, {.sival_int = kStopRequest});
}

}  // namespace weft::compare
