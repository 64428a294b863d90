// Verdicts, one rule after another.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/error_text.h"
#include "train/compare/verdict.h"

using namespace weft;
using namespace weft::compare;
using weft::test::error_text;

namespace {

using Numbers = std::vector<double>;

const Numbers kBase{0.50, 0.52, 0.48, 0.51, 0.49, 0.50, 0.53, 0.47};
const Numbers kSteps{0.30, 0.25, 0.35, 0.28, 0.31, 0.27, 0.33, 0.29};

/// kBase + scale * kSteps against kBase, over the first `seeds` seeds.
Comparison shifted(double scale, std::size_t seeds = 8) {
  Comparison c;
  for (std::size_t k = 0; k < seeds; ++k) {
    c.a.push_back(kBase[k] + scale * kSteps[k]);
    c.b.push_back(kBase[k]);
  }
  return c;
}

Finding alone(const Comparison& c) { return judge({c})[0]; }

}  // namespace

TEST_CASE("better and worse follow the metric's direction") {
  Comparison c = shifted(1);
  Finding f = alone(c);
  CHECK(f.verdict == Verdict::better);
  CHECK(f.reason == Reason::different);
  CHECK(f.p == 2.0 / 256);
  CHECK(f.p_adjusted == f.p);
  CHECK(f.difference.seeds == 8);
  CHECK(f.difference.mean == doctest::Approx(0.2975));
  CHECK(f.difference.interval.low > 0.25);
  CHECK(f.difference.interval.high < 0.35);
  c.lower_is_better = true;
  CHECK(alone(c).verdict == Verdict::worse);
  CHECK(alone(shifted(-1)).verdict == Verdict::worse);
  c = shifted(-1);
  c.lower_is_better = true;
  CHECK(alone(c).verdict == Verdict::better);
  CHECK(name(Verdict::better) == "better");
}

TEST_CASE("under six seeds nothing is called anything") {
  Comparison c = shifted(1, 5);
  c.margin = 10;
  const Finding f = alone(c);
  CHECK(f.verdict == Verdict::undecided);
  CHECK(f.reason == Reason::too_few_seeds);
  CHECK(f.detectable == INFINITY);
  CHECK(alone(shifted(1, 6)).verdict == Verdict::better);
  CHECK(alone(shifted(1, 1)).difference.interval.high == INFINITY);
  CHECK(std::isnan(alone(Comparison{}).difference.mean));
}

TEST_CASE("more contrasts ask for more: the correction is over all that were declared") {
  const Comparison null{.a = kBase, .b = {0.52, 0.50, 0.49, 0.50, 0.50, 0.49, 0.50, 0.50}};
  const auto six = judge({shifted(1), null, null, null, null, null});
  CHECK(six[0].verdict == Verdict::better);
  CHECK(six[0].p_adjusted == 6 * 2.0 / 256);
  const auto seven = judge({shifted(1), null, null, null, null, null, null});
  CHECK(seven[0].verdict == Verdict::undecided);
  CHECK(seven[0].reason == Reason::not_significant);
  CHECK(seven[0].detectable == INFINITY);
  CHECK(seven[1].verdict == Verdict::undecided);
}

TEST_CASE("equivalent needs a margin, the test, and an interval within the margin") {
  Comparison c = shifted(0.001);
  c.a[0] -= 0.002;  // no common sign
  CHECK(alone(c).verdict == Verdict::undecided);
  c.margin = 0.01;
  const Finding f = alone(c);
  CHECK(f.verdict == Verdict::equivalent);
  CHECK(f.reason == Reason::within_margin);
  CHECK(f.p_equivalence == 1.0 / 256);
  c.margin = 0.0001;
  CHECK(alone(c).verdict == Verdict::undecided);
  // A difference within the margin that is one for sure is still a difference.
  c = shifted(0.001);
  c.margin = 0.01;
  CHECK(alone(c).verdict == Verdict::better);
  // Same numbers on both sides: as alike as can be.
  const Finding same = alone({.a = kBase, .b = kBase, .margin = 0.01});
  CHECK(same.verdict == Verdict::equivalent);
  CHECK(same.p == 1);
  CHECK(same.detectable == 0);
  CHECK(alone({.a = kBase, .b = kBase}).verdict == Verdict::undecided);
}

TEST_CASE("a failed run leaves its contrast undecided, and its place in the correction") {
  Comparison c = shifted(1);
  c.a[2] = NAN;
  const auto findings = judge({c, shifted(1)});
  CHECK(findings[0].verdict == Verdict::undecided);
  CHECK(findings[0].reason == Reason::failed_runs);
  CHECK(findings[0].failed == 1);
  CHECK(findings[0].difference.seeds == 7);
  CHECK(findings[0].p == 1);
  CHECK(findings[0].difference.interval.low > 0.2);  // shown, though it decides nothing
  CHECK(findings[1].p_adjusted == 2 * findings[1].p);
  c.b[3] = INFINITY;
  CHECK(alone(c).failed == 2);
}

TEST_CASE("test and interval of a difference agree, and that of equivalence may be vetoed") {
  const Finding zero = alone({.a = {4, 4, 4, 2, 4, -3, 4, 2}, .b = Numbers(8, 0.0)});
  CHECK(zero.p == 8.0 / 256);
  CHECK(zero.difference.interval.low > 0);
  CHECK(zero.verdict == Verdict::better);
  Comparison c{.a = {1, 0, 0.3, 0.8, -16.9, 1.2, -0.1, -0.5}, .b = Numbers(8, 0.0)};
  c.margin = 0.98 * -alone(c).difference.interval.low;
  const Finding margin = alone(c);
  CHECK(margin.p_equivalence <= 0.05);
  CHECK(margin.verdict == Verdict::undecided);
  CHECK(margin.reason == Reason::interval_of_margin);
}

TEST_CASE("pairs that were not declared get an interval and nothing else") {
  const Estimate e = explore(shifted(1));
  CHECK(e.seeds == 8);
  CHECK(e.mean == doctest::Approx(0.2975));
  CHECK(e.interval.low < e.mean);
  CHECK(estimate(kBase).mean == doctest::Approx(0.5));
  CHECK(estimate(Numbers{1, NAN, 3}).seeds == 2);
  CHECK(estimate(Numbers{NAN}).seeds == 0);
}

TEST_CASE("every verdict and reason has its words, and bad input is refused") {
  CHECK(name(Verdict::worse) == "worse");
  CHECK(name(Verdict::equivalent) == "equivalent");
  CHECK(name(Verdict::undecided) == "undecided");
  for (const Reason reason :
       {Reason::different, Reason::within_margin, Reason::too_few_seeds, Reason::failed_runs,
        Reason::interval_of_zero, Reason::interval_of_margin, Reason::not_significant})
    CHECK(explain(reason).size() > 20);
  CHECK(judge({}).empty());
  CHECK(error_text<ShapeError>([] {
          alone({.a = {1, 2}, .b = {1}});
        }) == "[verdict] pairs need as many seeds of one arm as of the other: 2 and 1");
  CHECK(error_text<ConfigError>([] { judge({}, {.alpha = 1}); }) ==
        "[verdict] alpha must lie between 0 and 1, got 1");
  CHECK(error_text<ConfigError>([] { alone({.a = {1}, .b = {1}, .margin = NAN}); }) ==
        "[verdict] a margin must be at least 0, got nan");
}
