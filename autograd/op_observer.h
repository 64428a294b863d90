// Hears of ops as they end: how `weft bench` learns where a step's time goes.
#pragma once

#include <functional>

namespace weft {

/// While one lives, `ended` is told of each op that this thread records (backward false) and of
/// each node whose gradients it computes (true), when that is done. What a backward rule computes
/// belongs to its node; ops that want no gradient may go unheard. The innermost observer hears;
/// without one an op pays for a test of a pointer.
class OpObserver {
 public:
  using Ended = std::function<void(const char* op, bool backward)>;
  explicit OpObserver(Ended ended);
  ~OpObserver();
  OpObserver(const OpObserver&) = delete;
  OpObserver& operator=(const OpObserver&) = delete;

 private:
  friend void op_ended(const char* op, bool backward);
  Ended ended_;
  OpObserver* before_;
};

/// Called by record() and the engine.
void op_ended(const char* op, bool backward);

}  // namespace weft
