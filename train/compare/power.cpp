#include "train/compare/power.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "train/compare/distributions.h"
#include "train/compare/statistics.h"

namespace weft::compare {
namespace {

constexpr std::int64_t kSimulatedSeeds = 14;  // up to so many, and
constexpr double kSimulatedPatterns =
    32;  // below so many rejected patterns, the test itself is simulated
constexpr std::int64_t kSimulatedSamples = 4000;
constexpr std::int64_t kMostSeeds = 1 << 20;

void check_alpha(double alpha) {
  if (!(alpha > 0 && alpha < 1))
    fail<ConfigError>("statistics", "alpha must lie between 0 and 1, got {}", alpha);
}

/// The patterns that reach the sum of z + d are those whose flipped values have a sum of at most 0:
/// a set F of k values does when d <= -(sum of z over F) / k, and the empty one always. So at most
/// `patterns` do from the `patterns`-th largest of these bounds on.
double simulated_effect(std::int64_t n, std::int64_t patterns, double power) {
  Generator generator(0, "power");
  const std::size_t sets = std::size_t{1} << n;
  std::vector<double> shifts, sums(sets), bounds(sets);
  std::vector<int> sizes(sets);
  for (std::int64_t sample = 0; sample < kSimulatedSamples; ++sample) {
    for (std::size_t bit = 1; bit < sets; bit *= 2) {
      const double z = generator.next_normal();
      for (std::size_t set = 0; set < bit; ++set) {
        sums[bit + set] = sums[set] + z;
        sizes[bit + set] = sizes[set] + 1;
        bounds[bit + set] = -sums[bit + set] / sizes[bit + set];
      }
    }
    const auto last = bounds.begin() +
                      static_cast<std::ptrdiff_t>(patterns);  // bounds[0] stands for the empty set
    std::nth_element(bounds.begin() + 1, last, bounds.end(), std::greater<>());
    shifts.push_back(std::max(0.0, *last));
  }
  const auto place =
      shifts.begin() + static_cast<std::ptrdiff_t>(power * static_cast<double>(kSimulatedSamples));
  std::nth_element(shifts.begin(), place, shifts.end());
  return *place;
}

/// The central t quantile that is exceeded with probability level / 2.
double t_critical(std::int64_t n, double level) {
  return t_quantile_above(static_cast<double>(n - 1), level / 2);
}

double effect_size(std::int64_t n, double level, double power) {
  const double patterns =
      n <= kSignFlipExact ? std::floor(level / smallest_p(n)) : kSimulatedPatterns;
  if (patterns == 1)
    return std::max(0.0, normal_quantile(std::pow(power, 1 / static_cast<double>(n))));
  if (patterns < kSimulatedPatterns && n <= kSimulatedSeeds)
    return simulated_effect(n, static_cast<std::int64_t>(patterns), power);
  const double critical = t_critical(n, n <= kSignFlipExact ? patterns * smallest_p(n) : level);
  return noncentral_t_shift(critical, static_cast<double>(n - 1), power) /
         std::sqrt(static_cast<double>(n));
}

}  // namespace

std::int64_t seeds_needed(std::int64_t contrasts, double alpha) {
  check_alpha(alpha);
  if (contrasts < 1)
    fail<ConfigError>("statistics", "a suite needs at least one contrast, got {}", contrasts);
  for (std::int64_t n = kFewestSeeds; n <= kSignFlipExact; ++n) {
    if (contrasts_decidable(n, alpha) >= contrasts) return n;
  }
  return 0;
}

std::int64_t contrasts_decidable(std::int64_t seeds, double alpha) {
  check_alpha(alpha);
  if (seeds < kFewestSeeds) return 0;
  return static_cast<std::int64_t>(std::min(alpha / smallest_p(seeds), 9e15));
}

void require_decidable(std::int64_t seeds, std::int64_t contrasts, double alpha,
                       std::string_view where) {
  const std::int64_t needed = seeds_needed(contrasts, alpha);
  const std::int64_t most = contrasts_decidable(seeds, alpha);
  if (most >= contrasts) return;
  const std::string count = contrasts == 1 ? "1 contrast" : fmt::format("{} contrasts", contrasts);
  const std::string mend =
      needed > 0 ? fmt::format("take {} seeds", needed) : "no number of seeds is enough";
  if (seeds < kFewestSeeds) {
    fail<ConfigError>(
        where,
        "{} seed{} can decide nothing: under {} nothing is called better; for {} at alpha {}, {}",
        seeds, seeds == 1 ? "" : "s", kFewestSeeds, count, alpha, mend);
  }
  fail<ConfigError>(
      where,
      "{} seeds can decide none of {}: their smallest p-value is {:.2g}, Holm's first step asks "
      "for {} / {} = {:.2g}; {}{}",
      seeds, count, smallest_p(seeds), alpha, contrasts, alpha / static_cast<double>(contrasts),
      mend, most > 0 ? fmt::format(", or keep {} contrast{}", most, most == 1 ? "" : "s") : "");
}

double t_test_power(std::int64_t n, double effect, double level) {
  if (n < kFewestSeeds)
    fail<NumericError>("statistics", "the power of a t test is for at least {} values, got {}",
                       kFewestSeeds, n);
  check_alpha(level);
  return noncentral_t_above(t_critical(n, level), static_cast<double>(n - 1),
                            effect * std::sqrt(static_cast<double>(n)));
}

double detectable_effect_size(std::int64_t seeds, double level, double power) {
  check_alpha(level);
  if (!(power > 0 && power < 1))
    fail<ConfigError>("statistics", "power must lie between 0 and 1, got {}", power);
  if (seeds > kMostSeeds)
    fail<ConfigError>("statistics", "at most {} seeds, got {}", kMostSeeds, seeds);
  if (seeds < kFewestSeeds || smallest_p(seeds) > level)
    return std::numeric_limits<double>::infinity();
  thread_local std::map<std::tuple<std::int64_t, double, double>, double>
      answers;  // all contrasts of a suite ask the same, again and again
  const auto [entry, first_time] = answers.try_emplace({seeds, level, power}, 0);
  if (first_time) entry->second = effect_size(seeds, level, power);
  return entry->second;
}

double detectable_effect(std::int64_t seeds, double deviation, double level, double power) {
  const double size = detectable_effect_size(seeds, level, power);
  return std::isfinite(size) ? size * deviation : size;
}

}  // namespace weft::compare
