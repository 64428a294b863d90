#include "train/compare/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace weft::compare {
namespace {

constexpr double kLargest = 1e100;   // squares and cubes of sums of what is smaller stay finite
constexpr double kRounding = 1e-12;  // relative to the sum of sizes: above any rounding of a sum,
                                     // below any difference that means something

void check_values(Values values) {
  for (const double value : values) {
    if (!(std::abs(value) < kLargest))
      fail<NumericError>("statistics", "expects finite values, got {}", value);
  }
}

double largest_size(Values values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

/// All 2^n sums of +-sizes, in order: those of n - 1 sizes shifted down and up are in order, and
/// are merged.
std::vector<double> signed_sums(Values sizes) {
  std::vector<double> sums{0};
  for (const double size : sizes) {
    std::vector<double> down = sums, up = sums;
    for (double& sum : down) sum -= size;
    for (double& sum : up) sum += size;
    sums.resize(2 * down.size());
    std::merge(down.begin(), down.end(), up.begin(), up.end(), sums.begin());
  }
  return sums;
}

/// How many sign patterns have a sum of at least `threshold`. Each is a pattern of the first half
/// of the values and one of the second: both halves' sums in order, the partner that a sum needs
/// moves one way only, so that 2^(n/2) steps count 2^n patterns.
double patterns_at_least(Values values, double threshold) {
  const std::size_t half = values.size() / 2;
  const std::vector<double> first = signed_sums(values.first(half)),
                            second = signed_sums(values.subspan(half));
  double count = 0;  // exact up to 2^53
  std::size_t partner = second.size();
  for (const double sum : first) {
    while (partner > 0 && sum + second[partner - 1] >= threshold) --partner;
    count += static_cast<double>(second.size() - partner);
  }
  return count;
}

/// Share of random sign patterns at or above the threshold; the pattern that was seen is one of
/// them.
double drawn_share(Values values, double threshold, Tail tail, std::uint64_t seed) {
  Generator generator(seed, "sign-flip");
  std::int64_t hits = 0;
  for (std::int64_t draw = 0; draw < kSignFlipDraws; ++draw) {
    double sum = 0;
    std::uint32_t signs = 0;
    for (std::size_t i = 0; i < values.size(); ++i, signs >>= 1) {
      if (i % 32 == 0) signs = generator.next_u32();
      sum += (signs & 1) != 0 ? values[i] : -values[i];
    }
    if (tail == Tail::both) sum = std::abs(sum);
    if (sum >= threshold) ++hits;
  }
  return (1.0 + static_cast<double>(hits)) / (1.0 + static_cast<double>(kSignFlipDraws));
}

}  // namespace

double mean(Values values) {
  check_values(values);
  if (values.empty()) fail<NumericError>("statistics", "the mean of no values");
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(Values values) {
  const double center = mean(values);
  if (values.size() == 1) return 0;
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::vector<double> paired_differences(Values a, Values b) {
  if (a.size() != b.size())
    fail<ShapeError>("statistics",
                     "pairs need as many values of one arm as of the other: {} and {}", a.size(),
                     b.size());
  check_values(a);
  check_values(b);
  std::vector<double> differences(a.size());
  std::transform(a.begin(), a.end(), b.begin(), differences.begin(), std::minus<>());
  return differences;
}

double sign_flip_p(Values differences, Tail tail, std::uint64_t seed) {
  check_values(differences);
  const double largest = largest_size(differences);
  if (largest == 0) return 1;
  std::vector<double> values(differences.begin(), differences.end());
  for (double& value : values) value /= largest;
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  double sizes = 0;
  for (const double value : values) sizes += std::abs(value);
  const double threshold = (tail == Tail::both ? std::abs(sum) : sum) - kRounding * sizes;
  if (tail == Tail::both && threshold <= 0) return 1;
  if (std::ssize(values) > kSignFlipExact) return drawn_share(values, threshold, tail, seed);
  const double patterns = patterns_at_least(values, threshold) *
                          (tail == Tail::both ? 2 : 1);  // as many lie below -threshold
  return std::ldexp(patterns, -static_cast<int>(values.size()));
}

double smallest_p(std::int64_t n, Tail tail) {
  if (n <= 0) return 1;
  if (n > kSignFlipExact) return 1.0 / (1.0 + static_cast<double>(kSignFlipDraws));
  return std::ldexp(tail == Tail::both ? 2 : 1, -static_cast<int>(n));
}

double equivalence_p(Values differences, double margin, std::uint64_t seed) {
  check_values(differences);
  if (!(margin > 0)) return 1;
  std::vector<double> above(differences.begin(), differences.end()), below = above;
  for (double& value : above) value += margin;
  for (double& value : below) value = margin - value;
  return std::max(sign_flip_p(above, Tail::greater, seed), sign_flip_p(below, Tail::greater, seed));
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const double value : p) {
    if (!(value >= 0 && value <= 1))
      fail<NumericError>("statistics", "a p-value must lie in [0, 1], got {}", value);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> adjusted(p.size());
  double last = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    last = std::max(last, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    adjusted[order[k]] = last;
  }
  return adjusted;
}

}  // namespace weft::compare
