#include "core/phase.h"

#include <atomic>

namespace weft {
namespace {

std::atomic<PhaseListener*> phase_listener{nullptr};
std::atomic<std::uint64_t> last_phase{0};

}  // namespace

void listen_to_phases(PhaseListener* listener) { phase_listener = listener; }

bool Phase::heard() { return phase_listener != nullptr; }

void Phase::begin(const std::string& what) {
  listener_ = phase_listener;
  if (listener_ == nullptr) return;
  number_ = ++last_phase;
  listener_->begun(number_, what);
}

Phase::~Phase() {
  if (listener_ != nullptr) listener_->ended(number_);
}

}  // namespace weft
