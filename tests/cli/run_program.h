// Runs the built program as a user would, and catches what it says.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "core/io/file.h"
#include "tests/train/tiny_runs.h"

namespace weft::test {

struct Outcome {
  int code = -1;  ///< 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

/// A program under way.
class Running {
 public:
  Running(const std::vector<std::string>& command, const TempFolder& scratch,
          const std::string& working_folder = "") {
    static int number = 0;
    const std::string tag = std::to_string(number++);
    out_ = (scratch / ("out" + tag)).string();
    err_ = (scratch / ("err" + tag)).string();
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::setenv("WEFT_TELL_AFTER", "1000000",
             0);  // however slow the machine is, nothing is told that a test does not ask for
    child_ = ::fork();
    if (child_ != 0) return;
    // The child: nothing to read, its words into files, and it hears signals even where the tests
    // run in the background.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGXCPU})
      ::signal(number, SIG_DFL);
    const int in = ::open("/dev/null", O_RDONLY);
    const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0 || err < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 ||
        ::dup2(err, 2) < 0)
      ::_exit(126);
    if (!working_folder.empty() && ::chdir(working_folder.c_str()) != 0) ::_exit(126);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }

  void signal(int number) const { ::kill(child_, number); }
  /// To all of its group, as a terminal does; of a program that leads one (`setsid`).
  void signal_group(int number) const { ::kill(-child_, number); }

  /// What it has started itself.
  std::vector<pid_t> children() const {
    std::ifstream file("/proc/" + std::to_string(child_) + "/task/" + std::to_string(child_) +
                       "/children");
    return {std::istream_iterator<pid_t>(file), {}};
  }

  Outcome wait() {
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read_file(out_), read_file(err_)};
  }

 private:
  pid_t child_ = -1;
  std::string out_;
  std::string err_;
};

inline std::string program() {
#ifdef WEFT_EMULATED
  return std::string(WEFT_BINARY_DIR) + "/emulated/weft";
#else
  return std::string(WEFT_BINARY_DIR) + "/weft";
#endif
}

inline Outcome weft_with(const TempFolder& scratch, std::vector<std::string> words) {
  words.insert(words.begin(), program());
  return Running(words, scratch).wait();
}

/// Flags of a text run that takes a moment.
inline std::vector<std::string> tiny_train(const TempFolder& folder, const std::string& out) {
  return {"train",        "text", "--data",    tiny_text_config(folder).data,
          "--layers",     "1",    "--heads",   "2",
          "--width",      "16",   "--context", "8",
          "--batch",      "3",    "--steps",   "12",
          "--eval-every", "4",    "--out",     out};
}

/// Words and more of them. An option of `more` takes the place of the same option with its values
/// in `words`: the program takes each once.
inline std::vector<std::string> operator+(std::vector<std::string> words,
                                          const std::vector<std::string>& more) {
  for (const std::string& word : more) {
    if (!word.starts_with("--")) continue;
    const auto first = std::find(words.begin(), words.end(), word);
    if (first == words.end()) continue;
    words.erase(first, std::find_if(first + 1, words.end(), [](const std::string& next) {
                  return next.starts_with("--");
                }));
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Waits until a file holds a text. False when the program never wrote it in a long while.
inline bool wait_for(const fs::path& file, const std::string& text) {
  for (int i = 0; i < 6000; ++i) {
    if (fs::exists(file) && read_file(file.string()).find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace weft::test
