// Arms whose runs solve a task or do not: shares, and means that describe no run.
#include "train/compare/spread.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/random.h"

using namespace weft;
using namespace weft::compare;

namespace {

using Numbers = std::vector<double>;

/// Five runs that solved the task, and three that did not: the flagship's `diagonal`.
const Numbers kDiagonal{0.93, 0.86, 0.49, 0.84, 0.52, 0.85, 0.86, 0.66};

}  // namespace

TEST_CASE("the share of runs that solved a task, with its interval") {
  const RunSpread spread = spread_of(kDiagonal, 0.8, false, 0.04);
  CHECK(spread.runs == 8);
  CHECK(spread.solved == 5);
  CHECK(spread.share.low == doctest::Approx(0.244863));
  CHECK(spread.share.high == doctest::Approx(0.914766));
  CHECK(spread.split);
  CHECK(spread.below == 0.66);
  CHECK(spread.above == 0.84);
  CHECK(spread.below_count == 3);
  const RunSpread all = spread_of(Numbers(8, 0.99), 0.8, false, 0.04);
  CHECK(all.solved == 8);
  CHECK(all.not_excluded == doctest::Approx(0.312344));
  CHECK_FALSE(all.split);
  CHECK(spread_of(Numbers{0.1, 0.2, NAN}, 0.15, true, 0).solved == 1);
  CHECK(spread_of(Numbers{NAN}, 0.15, true, 0).runs == 0);
  CHECK(std::isnan(spread_of(kDiagonal, NAN, false, 0.04).share.low));
}

TEST_CASE("a mean that describes no run is noticed, also without a threshold") {
  CHECK(spread_of(Numbers{0.5, 0.51, 0.99, 0.98, 0.97, 0.5, 0.99, 0.5}, NAN, false, 0.04).split);
  const RunSpread rare =
      spread_of(Numbers{0.99, 0.98, 0.99, 0.58, 0.99, 0.98, 0.99, 0.98}, NAN, false, 0.04);
  CHECK(rare.split);  // one failure in eight: no run is near 0.94
  CHECK(rare.below_count == 1);
  // What is smaller than a difference is none.
  CHECK_FALSE(
      spread_of(Numbers{0.99, 0.98, 0.99, 0.96, 0.99, 0.98, 0.99, 0.98}, NAN, false, 0.04).split);
}

TEST_CASE("normal runs are hardly ever taken for two kinds of runs") {
  Generator generator(7, "spread");
  int split = 0;
  for (int i = 0; i < 2000; ++i) {
    Numbers values;
    for (int k = 0; k < 8; ++k) values.push_back(generator.next_normal());
    split += spread_of(values, NAN, false, 0).split ? 1 : 0;
  }
  CHECK(split < 100);
}
