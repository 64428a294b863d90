// Intervals: by hand, and how often they hold the true value in simulations.
#include "train/compare/intervals.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "core/random.h"

using namespace weft;
using namespace weft::compare;

namespace {

using Numbers = std::vector<double>;

/// The share of cases whose interval holds 0.
double coverage(int cases, const std::function<Interval(Generator&)>& make) {
  Generator generator(20261201, "coverage");
  int hits = 0;
  for (int i = 0; i < cases; ++i) {
    const Interval interval = make(generator);
    hits += interval.low <= 0 && 0 <= interval.high ? 1 : 0;
  }
  return static_cast<double>(hits) / cases;
}

/// Of `seeds` values around 0, with a deviation of 1, and rows (or groups of them) that all seeds
/// share; the variance of the mean by rows is `ratio` times that by seeds.
std::vector<Numbers> crossed(Generator& generator, std::size_t seeds, std::size_t rows,
                             double ratio, double both) {
  std::vector<Numbers> values(seeds, Numbers(rows));
  const double of_row = std::sqrt(ratio * static_cast<double>(rows) / static_cast<double>(seeds));
  Numbers shared(rows);
  for (double& row : shared) row = of_row * generator.next_normal();
  for (Numbers& seed : values) {
    const double own = generator.next_normal();
    for (std::size_t j = 0; j < rows; ++j)
      seed[j] =
          own + shared[j] + both * std::sqrt(static_cast<double>(rows)) * generator.next_normal();
  }
  return values;
}

Interval crossed_interval(const std::vector<Numbers>& values) {
  Numbers means;
  for (const Numbers& seed : values) means.push_back(mean(seed));
  return seeds_and_rows_interval(mean(means), seeds_interval(means), variance_parts(values));
}

}  // namespace

TEST_CASE("the interval by seeds holds the true mean as often as it says") {
  for (const std::int64_t seeds : {6, 8, 12, 16}) {
    CAPTURE(seeds);
    const double share = coverage(4000, [&](Generator& generator) {
      Numbers values;
      for (std::int64_t i = 0; i < seeds; ++i) values.push_back(generator.next_normal());
      return seeds_interval(values);
    });
    CHECK(share >= 0.94);
    CHECK(share <= 0.98);
  }
}

TEST_CASE("the interval by seeds is what the sign-flip test leaves") {
  Generator generator(5, "values");
  for (const std::int64_t seeds : {6, 7, 8, 11}) {
    Numbers values;
    for (std::int64_t i = 0; i < seeds; ++i) values.push_back(0.4 + generator.next_normal());
    const auto [low, high] = seeds_interval(values);
    const double step = 1e-9;
    const auto p_without = [&](double shift) {
      Numbers moved = values;
      for (double& value : moved) value -= shift;
      return sign_flip_p(moved);
    };
    CHECK(p_without(low - step) <= 0.05);
    CHECK(p_without(low + step) > 0.05);
    CHECK(p_without(high - step) > 0.05);
    CHECK(p_without(high + step) <= 0.05);
  }
}

TEST_CASE("intervals by hand") {
  const auto six = seeds_interval(Numbers{3, 1, 2, 6, 5, 4});  // K = 1: the least and the greatest
  CHECK(six.low == 1);
  CHECK(six.high == 6);
  // Four are too few for the test; Student's t with 3 degrees of freedom.
  const auto four = seeds_interval(Numbers{1, 2, 3, 4});
  CHECK(four.high == doctest::Approx(2.5 + 3.182446305 * 1.290994449 / 2));
  CHECK(std::isinf(seeds_interval(Numbers{1}).high));
  CHECK(seeds_interval(Numbers(8, 0.3)).low == doctest::Approx(0.3));
  const auto none = share_interval(0, 8), all = share_interval(8, 8), half = share_interval(4, 8);
  CHECK(none.low == 0);
  CHECK(none.high == doctest::Approx(0.369417));
  CHECK(all.low == doctest::Approx(1 - 0.369417));
  CHECK(all.high == 1);
  CHECK(half.low == doctest::Approx(0.157013));
  CHECK(half.high == doctest::Approx(0.842987));
  CHECK(rate_not_excluded(8) == doctest::Approx(0.312344));
  CHECK(rate_not_excluded(16) == doctest::Approx(0.170750));
}

TEST_CASE("variance over seeds and rows by hand") {
  // Seeds alone differ, rows alone differ.
  const VarianceParts seeds = variance_parts({{1, 1, 1}, {3, 3, 3}});
  CHECK(seeds.seeds == 1);
  CHECK(seeds.rows == 0);
  CHECK(seeds.together == 1);
  CHECK(seeds.freedom == 1);
  const VarianceParts rows = variance_parts({{1, 2, 3}, {1, 2, 3}});
  CHECK(rows.seeds == 0);
  CHECK(rows.together == doctest::Approx(1.0 / 3));
  CHECK(rows.freedom == doctest::Approx(2));
  CHECK_THROWS_AS(variance_parts({{1, 2}}), ShapeError);
  CHECK_THROWS_AS(variance_parts({{1, 2}, {1}}), ShapeError);
}

TEST_CASE("the interval over seeds and rows holds the true mean as often as it says") {
  // Of more rows than a hundred, pseudo-values are those of a hundred groups.
  double least = 1, most = 0;
  for (const std::size_t seeds : {8, 16})
    for (const std::size_t rows : {75, 100})
      for (const double ratio : {0.1, 1.0, 10.0})
        for (const double both : {0.0, 1.0}) {
          CAPTURE(seeds);
          CAPTURE(rows);
          CAPTURE(ratio);
          CAPTURE(both);
          const double share = coverage(600, [&](Generator& generator) {
            return crossed_interval(crossed(generator, seeds, rows, ratio, both));
          });
          least = std::min(least, share);
          most = std::max(most, share);
          CHECK(share >= 0.93);
          CHECK(share <= 0.99);
        }
  MESSAGE("coverage from " << least << " to " << most);
}

TEST_CASE("seeds alone miss the true mean where rows matter") {
  const double share = coverage(500, [&](Generator& generator) {
    Numbers means;
    for (const Numbers& seed : crossed(generator, 8, 75, 10, 0)) means.push_back(mean(seed));
    return seeds_interval(means);
  });
  CHECK(share < 0.6);
}
