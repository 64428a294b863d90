#include "optim/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/math.h"
#include "optim/optimizer.h"

namespace weft::optim {

double LrSchedule::factor(std::int64_t step) const {
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  const double last = static_cast<double>(steps);
  const double falling = 1 - min_factor;
  switch (kind) {
    case ScheduleKind::constant:
      return 1;
    case ScheduleKind::linear:
    case ScheduleKind::cosine: {
      const double span = std::max(last - static_cast<double>(warmup), 1.0);
      const double done = std::min(static_cast<double>(step - warmup) / span, 1.0);
      return min_factor + falling * (kind == ScheduleKind::linear
                                         ? 1 - done
                                         : 0.5 * (1 + math::cos(std::numbers::pi * done)));
    }
    case ScheduleKind::wsd: {
      const double span = decay_fraction * last;
      const double left = std::max(last - static_cast<double>(step), 0.0);
      return left >= span ? 1 : min_factor + falling * left / span;
    }
  }
  return 1;
}

void LrSchedule::validate() const {
  if (steps < 1) fail<ConfigError>("schedule", "steps must be at least 1, got {}", steps);
  if (warmup < 0 || warmup > steps)
    fail<ConfigError>("schedule", "warmup must be between 0 and the {} steps of the run, got {}",
                      steps, warmup);
  require_in("schedule", "min_factor", min_factor, 0, 1);
  require_in("schedule", "decay_fraction", decay_fraction, 0, 1);
}

ScheduleKind schedule_from_name(std::string_view name) {
  if (name == "constant") return ScheduleKind::constant;
  if (name == "linear") return ScheduleKind::linear;
  if (name == "cosine") return ScheduleKind::cosine;
  if (name == "wsd") return ScheduleKind::wsd;
  fail<ConfigError>("schedule", "unknown schedule `{}`; choose constant, linear, cosine or wsd",
                    name);
}

}  // namespace weft::optim
