// Ten thousand simulated suites without a difference, of four kinds of noise, and what a difference
// is found with: the whole of judge(), as a comparison calls it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/random.h"
#include "train/compare/power.h"
#include "train/compare/verdict.h"

using namespace weft;
using namespace weft::compare;

namespace {

constexpr int kSuites = 10000;

using Noise = std::function<double(Generator&)>;

double normal_noise(Generator& g) { return g.next_normal(); }
/// Accuracies of twenty test rows.
double coarse_noise(Generator& g) { return std::round(20 * (0.8 + 0.05 * g.next_normal())) / 20; }
/// Runs that solve the task, and as many that do not.
double bimodal_noise(Generator& g) {
  return (g.next_uniform() < 0.5 ? 0.5 : 0.95) + 0.01 * g.next_normal();
}
/// One run in ten fails by 0.4.
double failing_noise(Generator& g) {
  return (g.next_uniform() < 0.1 ? 0.55 : 0.95) + 0.01 * g.next_normal();
}

/// Two arms and a baseline, all alike but for `shift` of the first.
std::vector<Comparison> noise_suite(Generator& g, const Noise& draw, std::int64_t seeds,
                                    double shift) {
  std::vector<Comparison> all(2);
  for (std::int64_t k = 0; k < seeds; ++k) {
    const double baseline = draw(g);
    for (std::size_t c = 0; c < all.size(); ++c) {
      all[c].a.push_back(draw(g) + (c == 0 ? shift : 0));
      all[c].b.push_back(baseline);
    }
  }
  return all;
}

bool finds_winner(const Finding& finding) {
  return finding.verdict == Verdict::better || finding.verdict == Verdict::worse;
}

}  // namespace

TEST_CASE("of ten thousand suites of alike arms at most one in twenty finds a winner") {
  const double most = 0.05 * kSuites + 3 * std::sqrt(0.05 * 0.95 * kSuites);
  for (const auto& [name, draw] : {std::pair<const char*, Noise>{"normal", normal_noise},
                                   {"coarse", coarse_noise},
                                   {"bimodal", bimodal_noise},
                                   {"rare failure", failing_noise}}) {
    CAPTURE(name);
    Generator g(1, name);
    int winners = 0;
    for (int i = 0; i < kSuites; ++i) {
      const auto findings = judge(noise_suite(g, draw, 8, 0));
      winners += std::any_of(findings.begin(), findings.end(), finds_winner) ? 1 : 0;
    }
    CHECK_MESSAGE(winners <= most, winners);
    MESSAGE(std::string(name) << ": " << winners << " of " << kSuites);
  }
}

TEST_CASE("normal differences are found as often as the sign-flip test alone finds them") {
  Generator g(2, "power");
  int found = 0, by_test = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto findings = judge(noise_suite(g, normal_noise, 8, 2.0));
    found += findings[0].verdict == Verdict::better ? 1 : 0;
    by_test += findings[0].p_adjusted <= 0.05 && findings[0].difference.mean > 0 ? 1 : 0;
  }
  CHECK(found == by_test);  // the interval vetoes nothing
  CHECK_MESSAGE(found > 1000, found);
}

TEST_CASE("what no test on eight seeds can tell: an arm that fails one time in ten") {
  // Its mean is the baseline's, a typical run of it is better by 0.04: called better in near half
  // of all cases, which is why a verdict speaks of a typical run and names the rate.
  Generator g(3, "fails");
  int better = 0;
  for (int i = 0; i < 2000; ++i) {
    Comparison c;
    for (int k = 0; k < 8; ++k) {
      c.a.push_back(0.94 - (g.next_uniform() < 0.1 ? 0.4 : 0) + 0.002 * g.next_normal());
      c.b.push_back(0.90 + 0.002 * g.next_normal());
    }
    better += judge({c})[0].verdict == Verdict::better ? 1 : 0;
  }
  CHECK_MESSAGE(better > 600, better);
  CHECK_MESSAGE(better < 1200, better);
}
