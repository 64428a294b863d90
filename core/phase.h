// What the program is doing, for whoever waits for it: said where it begins, heard by at most one
// listener.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <utility>

namespace weft {

/// Hears of phases as they begin and end, from any thread. They may lie within each other.
class PhaseListener {
 public:
  virtual ~PhaseListener() = default;
  /// `what` completes "weft is ...": "reading words.txt".
  virtual void begun(std::uint64_t number, const std::string& what) = 0;
  virtual void ended(std::uint64_t number) = 0;  ///< the phase of that number
};

/// From now on; null: nobody hears. The listener must outlive the phases that begin while it is
/// set.
void listen_to_phases(PhaseListener* listener);

/// Something that may take a while: it lasts as long as this lives.
class Phase {
 public:
  template <class... Args>
  explicit Phase(fmt::format_string<Args...> format, Args&&... args) {
    if (heard()) begin(fmt::format(format, std::forward<Args>(args)...));
  }
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  static bool heard();
  void begin(const std::string& what);

  PhaseListener* listener_ = nullptr;
  std::uint64_t number_ = 0;
};

}  // namespace weft
