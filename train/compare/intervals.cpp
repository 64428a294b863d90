#include "train/compare/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/math.h"
#include "train/compare/distributions.h"

namespace weft::compare {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_confidence(double confidence) {
  if (!(confidence > 0 && confidence < 1))
    fail<ConfigError>("statistics", "confidence must lie between 0 and 1, got {}", confidence);
}

Interval t_interval(Values values, double confidence) {
  const double center = mean(values);
  const auto n = static_cast<double>(values.size());
  const double half =
      t_quantile_above(n - 1, (1 - confidence) / 2) * standard_deviation(values) / std::sqrt(n);
  return {center - half, center + half};
}

double mean_square(const std::vector<double>& values, double center) {
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  return squares / static_cast<double>(values.size() - 1);
}

}  // namespace

Interval seeds_interval(Values values, double confidence) {
  check_confidence(confidence);
  const double center = mean(values);  // checks them
  const std::int64_t n = std::ssize(values);
  if (n == 1) return {-kInfinity, kInfinity};
  if (std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); }))
    return {center, center};
  if (n > kSubsetsExact) return t_interval(values, confidence);
  const auto tail = static_cast<std::ptrdiff_t>(
      std::floor((1 - confidence) * std::ldexp(1.0, static_cast<int>(n)) / 2 * (1 + 1e-12)));
  if (tail < 1) return t_interval(values, confidence);
  const std::size_t sets = std::size_t{1} << n;
  std::vector<double> sums(sets), means(sets);
  std::vector<std::uint8_t> sizes(sets);
  for (std::size_t bit = 1, i = 0; bit < sets; bit *= 2, ++i) {
    for (std::size_t set = 0; set < bit; ++set) {
      sums[bit + set] = sums[set] + values[i];
      sizes[bit + set] = static_cast<std::uint8_t>(sizes[set] + 1);
      means[bit + set] = sums[bit + set] / sizes[bit + set];
    }
  }
  const auto begin = means.begin() + 1;  // the empty set has none
  const auto low = begin + (tail - 1), high = means.end() - tail;
  std::nth_element(begin, low, means.end());
  const double lowest = *low;
  std::nth_element(begin, high, means.end());
  return {lowest, *high};
}

VarianceParts variance_parts(const std::vector<std::vector<double>>& values) {
  const std::size_t n = values.size(), m = values.empty() ? 0 : values.front().size();
  if (n < 2 || m < 2)
    fail<ShapeError>("statistics",
                     "the variance over seeds and rows expects two of each: {} and {}", n, m);
  std::vector<double> of_seed(n), of_row(m);
  double center = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (values[i].size() != m)
      fail<ShapeError>("statistics", "every seed has the same rows: {} and {}", values[i].size(),
                       m);
    for (std::size_t j = 0; j < m; ++j) {
      of_seed[i] += values[i][j] / static_cast<double>(m);
      of_row[j] += values[i][j] / static_cast<double>(n);
    }
    center += of_seed[i] / static_cast<double>(n);
  }
  double left = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) {
      const double rest = values[i][j] - of_seed[i] - of_row[j] + center;
      left += rest * rest;
    }
  const auto seeds = static_cast<double>(n), rows = static_cast<double>(m);
  const double free = (seeds - 1) * (rows - 1);
  const double a = mean_square(of_seed, center) / seeds, b = mean_square(of_row, center) / rows,
               c = left / free / (seeds * rows);
  VarianceParts parts{.seeds = a, .rows = b, .together = std::max({a + b - c, a, b})};
  const double spread = a * a / (seeds - 1) + b * b / (rows - 1) +
                        (parts.together > std::max(a, b) ? c * c / free : 0);
  if (spread > 0) parts.freedom = parts.together * parts.together / spread;
  parts.freedom = std::max(parts.freedom, std::min(seeds, rows) - 1);
  return parts;
}

Interval seeds_and_rows_interval(double mean, const Interval& by_seeds, const VarianceParts& parts,
                                 double confidence) {
  check_confidence(confidence);
  const double half =
      t_quantile_above(parts.freedom, (1 - confidence) / 2) * std::sqrt(parts.together);
  return {std::min(by_seeds.low, mean - half), std::max(by_seeds.high, mean + half)};
}

Interval share_interval(std::int64_t hits, std::int64_t count, double confidence) {
  check_confidence(confidence);
  if (count < 1 || hits < 0 || hits > count)
    fail<NumericError>("statistics", "a share expects 0 to {1} hits of {1}, got {0}", hits, count);
  const double tail = (1 - confidence) / 2;
  const auto k = static_cast<double>(hits), n = static_cast<double>(count);
  return {hits == 0 ? 0 : beta_quantile(k, n - k + 1, tail),
          hits == count ? 1 : beta_quantile(k + 1, n - k, 1 - tail)};
}

double rate_not_excluded(std::int64_t count, double confidence) {
  check_confidence(confidence);
  if (count < 1) return 1;
  return 1 - math::exp(math::log(1 - confidence) / static_cast<double>(count));
}

}  // namespace weft::compare
