// Intervals of a mean over few seeds, with and without the rows that it was measured on, and of a
// share. Pure functions; the same numbers on every machine. That they hold the true value as often
// as they say is shown by tests/compare/test_intervals.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "train/compare/statistics.h"

namespace weft::compare {

/// Interval of a mean that the sign-flip test would not call different from 0 at 1 - confidence if
/// it were subtracted: test and interval never contradict each other. Its ends are the K-th
/// smallest and the K-th largest of the means of all 2^n - 1 subsets of the values, K = floor((1 -
/// confidence) 2^n / 2); it holds the true mean with probability 1 - 2 K / 2^n where values lie
/// symmetrically about it, whatever their distribution: 96.9 % for six at 0.95, 95.3 % for
/// eight, 95.0 % for sixteen. Fewer values than have such a K, and more than kSubsetsExact:
/// Student's t, exact for normal values. One value: (-inf, inf). Source: Hartigan 1969, "Using
/// subsample values as typical values", JASA 64, theorem 1. Throws NumericError for values that are
/// not finite, or none; ConfigError for a confidence outside (0, 1).
Interval seeds_interval(Values values, double confidence = 0.95);
constexpr std::int64_t kSubsetsExact = 18;

/// What seeds and rows contribute to the variance of a mean that was taken over both.
struct VarianceParts {
  double seeds = 0;     ///< of the mean, by which seeds were drawn (with what both share)
  double rows = 0;      ///< by which rows were drawn
  double together = 0;  ///< of both
  double freedom = 1;   ///< of `together`, Satterthwaite's
};

/// Of values[seed][row], all measured on the same rows, a random effect of each seed, each row and
/// each pair of them:
///   together = S_s / n + S_r / m - S_e / (n m), at least either of the first two,
/// with the mean squares of the seeds' means, the rows' means and what is left. `rows` may be
/// pseudo-values of groups of rows. Throws ShapeError for fewer than two of either, or lists of
/// different lengths. Source: Cornfield and Tukey 1956, "Average values of mean squares in
/// factorials", Ann. Math. Stat. 27; the degrees of freedom: Satterthwaite 1946, Biometrics 2.
VarianceParts variance_parts(const std::vector<std::vector<double>>& values);

/// mean +- t sqrt(together), and never narrower than `by_seeds`: where the mean would come to lie
/// with other seeds and other rows of the same kind.
Interval seeds_and_rows_interval(double mean, const Interval& by_seeds, const VarianceParts& parts,
                                 double confidence = 0.95);

/// Exact interval of a probability of which `hits` of `count` trials were seen. Source: Clopper and
/// Pearson 1934, Biometrika 26.
Interval share_interval(std::int64_t hits, std::int64_t count, double confidence = 0.95);

/// The largest rate of failures that `count` runs without one cannot exclude at this confidence:
/// 1 - (1 - confidence)^(1 / count), 31 % for eight.
double rate_not_excluded(std::int64_t count, double confidence = 0.95);

}  // namespace weft::compare
