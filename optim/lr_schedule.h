// Learning rate over time, as a factor on every optimizer's own rate.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft::optim {

enum class ScheduleKind : std::uint8_t { constant, linear, cosine, wsd };

struct LrSchedule {
  ScheduleKind kind = ScheduleKind::cosine;
  std::int64_t steps = 1000;  ///< all of them
  std::int64_t warmup = 0;    ///< steps of linear warm-up, from 1 / (warmup + 1)
  double min_factor = 0;      ///< reached at the end (linear, cosine, wsd)
  double decay_fraction =
      0.2;  ///< wsd: the last share of steps, over which the rate falls linearly

  /// Factor for step 0 .. steps - 1; past the end it stays at min_factor (constant: 1).
  /// Source: cosine: Loshchilov and Hutter 2016 (arXiv 1608.03983), eq. 5, one period;
  /// warm-up-stable-decay: Hu et al. 2024 (arXiv 2404.06395).
  double factor(std::int64_t step) const;
  /// Throws ConfigError for steps < 1, a warm-up longer than the run, or fractions outside [0, 1].
  void validate() const;
};

/// Throws ConfigError naming the choices.
ScheduleKind schedule_from_name(std::string_view name);

}  // namespace weft::optim
