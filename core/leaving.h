// What is undone where the process has to leave at once: half-written files are removed, children
// ended. Not for users.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

namespace weft::leaving {

/// A file that is removed if the process leaves at once while this lives, or before done().
class File {
 public:
  explicit File(std::string path);
  ~File() { done(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  /// It is no longer half-written, or no longer there.
  void done();

 private:
  std::string path_;
  std::atomic<const char*>* slot_ = nullptr;  ///< null where there are too many
};

/// A child process that is asked to end (SIGTERM) if this one leaves at once while this lives.
class Child {
 public:
  explicit Child(pid_t process);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

 private:
  std::atomic<pid_t>* slot_ = nullptr;
};

/// Undoes, and ends the process. May be called by a signal handler.
[[noreturn]] void leave(int exit_code) noexcept;

}  // namespace weft::leaving
