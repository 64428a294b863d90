// What a few paired seeds say about a difference: its interval, how surprising it is, whether it is
// as good as none. Pure functions; the same numbers for the same seed on every machine.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace weft::compare {

/// One number a seed. All functions throw NumericError for values that are not finite (or beyond
/// 1e100).
using Values = std::span<const double>;

double mean(Values values);                ///< Throws NumericError for none
double standard_deviation(Values values);  ///< with n - 1; 0 for a single value
/// a[k] - b[k] for every seed k. Throws ShapeError for different lengths.
std::vector<double> paired_differences(Values a, Values b);

struct Interval {
  double low;
  double high;
};
/// Of what is not known.
inline constexpr Interval kNoInterval{std::numeric_limits<double>::quiet_NaN(),
                                      std::numeric_limits<double>::quiet_NaN()};

enum class Tail : std::uint8_t {
  both,     ///< is the mean anything but 0?
  greater,  ///< is the mean above 0?
};

/// Up to so many values the sign-flip test looks at every one of the 2^n sign patterns; above, at
/// kSignFlipDraws random ones.
constexpr std::int64_t kSignFlipExact = 40;
constexpr std::int64_t kSignFlipDraws = 199999;

/// Sign-flip permutation test of the mean: if the two arms were alike, each paired difference could
/// as well have had the other sign. The p-value is the share of the 2^n sign patterns whose mean is
/// at least as large (in absolute value, for both tails) as the one seen, itself included: exact,
/// and never below smallest_p(n). Sums that differ by rounding only (1e-12 of the sum of sizes)
/// count as equal. For n above kSignFlipExact: (1 + hits) / (1 + draws) over random patterns from
/// the Philox stream "sign-flip". Source: Fisher 1935, "The design of experiments", section 21; the
/// + 1: Phipson and Smyth 2010, "Permutation p-values should never be zero". All values 0, or
/// none: 1.
double sign_flip_p(Values differences, Tail tail = Tail::both, std::uint64_t seed = 0);

/// Smallest p-value that n values can give: 2 / 2^n for both tails, half of it for one.
double smallest_p(std::int64_t n, Tail tail = Tail::both);

/// Two one-sided tests: the p-value of "the mean is outside (-margin, margin)", the larger of the
/// sign-flip p-values of mean > -margin and of mean < margin. Exact where the differences lie
/// symmetrically about their mean. A margin of 0 or less gives 1. Source: Schuirmann 1987, J.
/// Pharmacokinetics and Biopharmaceutics 15.
double equivalence_p(Values differences, double margin, std::uint64_t seed = 0);

/// Step-down adjusted p-values, in the order given: the k-th smallest of m becomes max(the one
/// before, min(1, (m - k + 1) p)). Rejecting where the adjusted p is at most alpha keeps the chance
/// of any false rejection at alpha, however the tests depend on each other. Source: Holm 1979, "A
/// simple sequentially rejective multiple test procedure". Throws NumericError for a p outside [0,
/// 1].
std::vector<double> holm(const std::vector<double>& p);

}  // namespace weft::compare
