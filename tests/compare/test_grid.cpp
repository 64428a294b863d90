// Learning rates: which is the best, and when a grid has to go on.
#include <doctest/doctest.h>

#include <cmath>

#include "train/compare/grid.h"

using namespace weft::compare;

namespace {

using Factors = std::vector<double>;

const Factors kThree{0.33, 1, 3};

/// The grid that arms come to whose figures have their best at these factors, the higher the
/// better.
Factors grown(Factors factors, const std::vector<double>& optima) {
  while (true) {
    std::vector<TriedValues> arms;
    for (const double optimum : optima) {
      TriedValues& values = arms.emplace_back();
      for (const double factor : factors) values.push_back(-std::abs(std::log(factor / optimum)));
    }
    const Factors more = next_factors(factors, arms, false);
    if (more.empty()) return factors;
    factors.insert(factors.end(), more.begin(), more.end());
    std::sort(factors.begin(), factors.end());
  }
}

}  // namespace

TEST_CASE("the best rate is that of the best figure, and of two alike the one nearer 1") {
  CHECK(best_of(kThree, {0.5, 0.9, 0.8}, false) == 1);
  CHECK(best_of(kThree, {0.5, 0.9, 0.8}, true) == 0);
  CHECK(best_of(kThree, {0.9, 0.9, 0.9}, false) == 1);
  CHECK(best_of(kThree, {NAN, 0.2, 0.9}, true) == 1);
  CHECK(best_of(kThree, {NAN, NAN, 0.9}, true) == 2);
  CHECK_FALSE(best_of(kThree, {NAN, NAN, NAN}, true).has_value());
}

TEST_CASE("a best rate at an end is noticed") {
  CHECK(end_of(kThree, 0) == GridEnd::smallest);
  CHECK(end_of(kThree, 1) == GridEnd::inside);
  CHECK(end_of(kThree, 2) == GridEnd::largest);
  CHECK(end_of({1}, 0) == GridEnd::inside);  // nothing was searched
}

TEST_CASE("a grid goes on until the best of every arm lies inside, for all arms alike") {
  CHECK(grown(kThree, {1, 1.1}) == kThree);
  CHECK(grown(kThree, {1, 3.2}) == Factors{0.33, 1, 3, 9});
  CHECK(grown(kThree, {0.3, 1}) == Factors{0.109, 0.33, 1, 3});
  CHECK(grown(kThree, {0.3, 3.2}) == Factors{0.109, 0.33, 1, 3, 9});
  CHECK(grown({0.5, 2}, {0.5, 0.5}) == Factors{0.125, 0.5, 2});
}

TEST_CASE("no more than seven rates are tried, unless a suite declares more") {
  const Factors far = grown(kThree, {1e6, 1});
  CHECK(far == Factors{0.33, 1, 3, 9, 27, 81, 243});
  CHECK(grown({1, 2, 3, 4, 5, 6, 7, 8}, {100}).size() == 8);
  // Room for one more, wanted at both ends: where more arms want it, else above.
  CHECK(next_factors({1, 2, 3, 4, 5, 6}, {{9, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 9}}, false) ==
        Factors{7.2});
  CHECK(next_factors({1, 2, 3, 4, 5, 6},
                     {{9, 1, 1, 1, 1, 1}, {9, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 9}},
                     false) == Factors{0.5});
  CHECK(next_factors({1}, {{5}}, false).empty());
}

TEST_CASE("an arm whose tries all failed wants nothing") {
  CHECK(next_factors(kThree, {{NAN, NAN, NAN}, {1, 2, 1}}, false).empty());
  // One that diverges at the largest has its best inside.
  CHECK(next_factors(kThree, {{1, 2, NAN}}, false).empty());
}
