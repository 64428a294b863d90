// What a number of seeds can find at all, before and after they were run.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft::compare {

/// Below so many seeds nothing is ever called better, worse or equivalent.
constexpr std::int64_t kFewestSeeds = 6;

/// Fewest seeds with which the sign-flip test can decide any of so many contrasts under Holm's
/// correction, whose first step asks for alpha / contrasts: the least n >= kFewestSeeds with 2 /
/// 2^n <= alpha / contrasts. 0 where no number is enough (see kSignFlipExact). Throws ConfigError
/// for contrasts < 1 or an alpha outside (0, 1).
std::int64_t seeds_needed(std::int64_t contrasts, double alpha);

/// Most contrasts that so many seeds can decide: 6 for 8 seeds at alpha 0.05; 0 below
/// seeds_needed(1, alpha).
std::int64_t contrasts_decidable(std::int64_t seeds, double alpha);

/// Throws ConfigError `[where] 8 seeds can decide none of 7 contrasts: ...` that says how many
/// seeds, or how few contrasts, are needed.
void require_decidable(std::int64_t seeds, std::int64_t contrasts, double alpha,
                       std::string_view where);

/// Smallest true mean difference, in standard deviations of the paired differences, that the
/// two-sided sign-flip test at `level` would have found with probability `power`, in the right
/// direction, were the differences normal. Infinite where smallest_p(seeds) > level or seeds <
/// kFewestSeeds.
///
/// A permutation test of n values cannot be held to any level: it rejects the K = floor(level 2^n /
/// 2) most extreme patterns on each side, so that
///   K = 0: nothing is ever found;
///   K = 1: all differences must have one sign, which has probability Phi(d)^n: exact, d =
///   Phi^-1(power^(1/n)); K < 32: the sample of standard normals z is significant from the shift
///   d*(z) on, that is when at most K patterns of z + d reach the sum itself
///       (their number falls with d); the `power` quantile of d* over 4,000 samples of the Philox
///       stream "power" (power is met to about +-0.01);
///   else, and for more than 14 seeds: the t test at the attainable level 2 K / 2^n, by the
///   noncentral t distribution; 1 to 3 % off for K = 32.
/// (The t test promises too much where K is small: d = 1.67 instead of 1.89 for eight seeds at 0.05
/// / 6.) Source: K <= 1: arithmetic. Hoeffding 1952, "The large-sample power of tests based on
/// permutations of observations", for the approach to the t test; Cohen 1988, "Statistical power
/// analysis for the behavioral sciences", chapter 2, for that test's power.
double detectable_effect_size(std::int64_t seeds, double level, double power = 0.8);

/// The same in the metric's units, for paired differences with this standard deviation. The
/// observed deviation of few seeds is itself uncertain (within about a third for eight): the figure
/// tells an order of magnitude.
double detectable_effect(std::int64_t seeds, double deviation, double level, double power = 0.8);

/// Chance that a one-sample t test at a two-sided `level` rejects to the right when the mean is
/// `effect` standard deviations: P(T > t) for T noncentral t with n - 1 degrees of freedom and
/// noncentrality effect sqrt(n), t the central quantile. n >= kFewestSeeds.
double t_test_power(std::int64_t n, double effect, double level);

}  // namespace weft::compare
