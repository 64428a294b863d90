#include "core/leaving.h"

#include <unistd.h>

#include <array>
#include <csignal>

namespace weft::leaving {
namespace {

constexpr std::size_t kMost = 64;  // at the same time

constinit std::array<std::atomic<const char*>, kMost> files{};
constinit std::array<std::atomic<pid_t>, kMost> children{};
static_assert(std::atomic<const char*>::is_always_lock_free &&
                  std::atomic<pid_t>::is_always_lock_free,
              "a handler may not wait");

/// A free place with `value` in it, or null.
template <class T>
std::atomic<T>* take(std::array<std::atomic<T>, kMost>& slots, T value) {
  for (std::atomic<T>& slot : slots) {
    T none{};
    if (slot.compare_exchange_strong(none, value)) return &slot;
  }
  return nullptr;
}

}  // namespace

File::File(std::string path)
    : path_(std::move(path)), slot_(take<const char*>(files, path_.c_str())) {}

void File::done() {
  if (slot_ != nullptr) *slot_ = nullptr;
  slot_ = nullptr;
}

Child::Child(pid_t process) : slot_(take(children, process)) {}

Child::~Child() {
  if (slot_ != nullptr) *slot_ = 0;
}

void leave(int exit_code) noexcept {
  for (const auto& path : files)
    if (const char* const name = path; name != nullptr) ::unlink(name);
  for (const auto& child : children)
    if (const pid_t process = child; process > 0) ::kill(process, SIGTERM);
  ::_exit(exit_code);
}

}  // namespace weft::leaving
