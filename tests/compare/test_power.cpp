// The machinery by itself: alike arms find no winner, planted effects are found as often as is
// said, and seeds that decide nothing are refused.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "core/random.h"
#include "tests/core/error_text.h"
#include "train/compare/distributions.h"
#include "train/compare/power.h"
#include "train/compare/verdict.h"

using namespace weft;
using namespace weft::compare;
using weft::test::error_text;

namespace {

constexpr int kExperiments = 1000;
const JudgeOptions kQuick{};

using Draw = std::function<double(Generator&)>;

double normal(Generator& g) { return g.next_normal(); }
/// Student's t with two degrees of freedom: its variance is infinite.
double heavy(Generator& g) { return g.next_normal() / std::sqrt(-std::log(1 - g.next_uniform())); }
double skewed(Generator& g) { return std::exp(1.5 * g.next_normal()); }

/// `contrasts` arms against one baseline, all alike but for the shifts.
std::vector<Comparison> experiment(Generator& g, const Draw& draw, std::int64_t seeds,
                                   const std::vector<double>& shifts, double margin = 0) {
  std::vector<double> baseline;
  for (std::int64_t k = 0; k < seeds; ++k) baseline.push_back(draw(g));
  std::vector<Comparison> all;
  for (const double shift : shifts) {
    Comparison c{.a = {}, .b = baseline, .lower_is_better = false, .margin = margin};
    for (std::int64_t k = 0; k < seeds; ++k) c.a.push_back(draw(g) + shift);
    all.push_back(c);
  }
  return all;
}

/// Whether `count` of kExperiments is within three binomial deviations of a share, from above.
bool at_most(int count, double share) {
  return count <= kExperiments * share + 3 * std::sqrt(kExperiments * share * (1 - share));
}
bool about(int count, double share) {
  return std::abs(count - kExperiments * share) <=
         3.5 * std::sqrt(kExperiments * share * (1 - share));
}

bool decided(const Finding& f) {
  return f.verdict == Verdict::better || f.verdict == Verdict::worse;
}

}  // namespace

TEST_CASE(
    "of a thousand comparisons of alike arms at most one in twenty finds a winner, whatever the "
    "noise") {
  for (const auto& [name, draw] :
       {std::pair<const char*, Draw>{"normal", normal}, {"heavy", heavy}, {"skewed", skewed}}) {
    CAPTURE(name);
    Generator g(1, name);
    int winners = 0;
    for (int i = 0; i < kExperiments; ++i) {
      const auto findings = judge(experiment(g, draw, 8, std::vector<double>(6, 0.0)), kQuick);
      winners += std::any_of(findings.begin(), findings.end(), decided);
    }
    CHECK_MESSAGE(at_most(winners, 0.05), winners);
    CHECK_MESSAGE(winners > 5, winners);  // and the machinery does find things
  }
}

TEST_CASE("a planted effect of the stated size is found with the stated power") {
  // Alike arms beside it, so that Holm's first step is what it has to pass. Differences of two unit
  // normals have deviation sqrt(2).
  for (const auto& [seeds, contrasts] :
       {std::pair<std::int64_t, std::size_t>{8, 6}, {10, 6}, {14, 3}, {24, 2}}) {
    CAPTURE(seeds);
    const double effect =
        detectable_effect(seeds, std::sqrt(2.0), 0.05 / static_cast<double>(contrasts), 0.8);
    std::vector<double> shifts(contrasts, 0.0);
    shifts[0] = effect;
    Generator g(2, "planted");
    int found = 0;
    for (int i = 0; i < kExperiments; ++i)
      found += judge(experiment(g, normal, seeds, shifts), kQuick)[0].verdict == Verdict::better;
    CHECK_MESSAGE(about(found, 0.8), found);
  }
}

TEST_CASE("an arm at the margin is hardly ever called equivalent, one well within it mostly is") {
  for (const auto& [name, draw] :
       {std::pair<const char*, Draw>{"normal", normal}, {"heavy", heavy}}) {
    CAPTURE(name);
    Generator g(3, name);
    int wrong = 0, right = 0;
    for (int i = 0; i < kExperiments; ++i) {
      const auto edge = judge(experiment(g, draw, 8, std::vector<double>(4, 3.0), 3.0), kQuick);
      wrong += std::any_of(edge.begin(), edge.end(),
                           [](const Finding& f) { return f.verdict == Verdict::equivalent; });
      right += judge(experiment(g, draw, 8, {0.0}, 12.0), kQuick)[0].verdict == Verdict::equivalent;
    }
    CHECK_MESSAGE(at_most(wrong, 0.05), wrong);
    CHECK_MESSAGE(right > 0.8 * kExperiments, right);
  }
}

TEST_CASE(
    "the detectable effect: exact where one pattern decides, steady where the method changes, "
    "infinite where nothing can be found") {
  CHECK(std::pow(normal_cdf(detectable_effect_size(8, 0.05 / 6, 0.8)), 8) == doctest::Approx(0.8));
  CHECK(detectable_effect_size(8, 0.0078, 0.8) == INFINITY);
  CHECK(detectable_effect_size(5, 0.5, 0.8) == INFINITY);
  CHECK(detectable_effect_size(6, 0.05, 0.9) > detectable_effect_size(6, 0.05, 0.8));
  CHECK(detectable_effect_size(16, 0.05) ==
        doctest::Approx(detectable_effect_size(17, 0.05) * std::sqrt(17.0 / 16.0)).epsilon(0.05));
  CHECK(detectable_effect_size(40, 0.05) > detectable_effect_size(80, 0.05));
  for (std::int64_t n = 7; n < 24; ++n)
    CHECK(detectable_effect_size(n, 0.05) < detectable_effect_size(n - 1, 0.05) * 1.01);
  CHECK(detectable_effect(8, 0, 0.05) == 0);
  CHECK(detectable_effect(8, 2.5, 0.05) == doctest::Approx(2.5 * detectable_effect_size(8, 0.05)));
  CHECK(detectable_effect(5, 0, 0.05) == INFINITY);
  CHECK_THROWS_AS(detectable_effect_size(8, 0, 0.8), ConfigError);
  CHECK_THROWS_AS(detectable_effect_size(8, 0.05, 1), ConfigError);
}

TEST_CASE("seeds that a number of contrasts needs") {
  CHECK(seeds_needed(1, 0.05) == 6);
  CHECK(seeds_needed(2, 0.05) == 7);
  CHECK(seeds_needed(6, 0.05) == 8);
  CHECK(seeds_needed(7, 0.05) == 9);
  CHECK(seeds_needed(20, 0.05) == 10);
  CHECK(seeds_needed(1, 0.9) == 6);
  CHECK(seeds_needed(1000, 1e-12) == 0);
  CHECK(contrasts_decidable(5, 0.05) == 0);
  CHECK(contrasts_decidable(6, 0.05) == 1);
  CHECK(contrasts_decidable(8, 0.05) == 6);
  CHECK(contrasts_decidable(12, 0.05) == 102);
  CHECK_NOTHROW(require_decidable(8, 6, 0.05, "suite"));
  CHECK(error_text<ConfigError>([] { require_decidable(8, 7, 0.05, "a.toml:3"); }) ==
        "[a.toml:3] 8 seeds can decide none of 7 contrasts: their smallest p-value is 0.0078, "
        "Holm's first step asks for 0.05 / 7 = 0.0071; take 9 seeds, "
        "or keep 6 contrasts");
  CHECK(error_text<ConfigError>([] { require_decidable(3, 1, 0.05, "suite"); }) ==
        "[suite] 3 seeds can decide nothing: under 6 nothing is called better; for 1 contrast at "
        "alpha 0.05, take 6 seeds");
  CHECK(error_text<ConfigError>([] { require_decidable(6, 1, 0.01, "suite"); }) ==
        "[suite] 6 seeds can decide none of 1 contrast: their smallest p-value is 0.031, Holm's "
        "first step asks for 0.01 / 1 = 0.01; take 8 seeds");
  CHECK(error_text<ConfigError>([] { require_decidable(8, 0, 0.05, "suite"); }) ==
        "[statistics] a suite needs at least one contrast, got 0");
  CHECK(error_text<ConfigError>([] { seeds_needed(1, 0); }) ==
        "[statistics] alpha must lie between 0 and 1, got 0");
}
