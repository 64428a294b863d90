// Looking more than once: levels, p-values, and how often something is found where there is
// nothing.
#include <doctest/doctest.h>

#include <cmath>

#include "core/random.h"
#include "train/compare/looks.h"
#include "train/compare/verdict.h"

using namespace weft;
using namespace weft::compare;

namespace {

std::vector<double> normal_values(Generator& generator, std::int64_t count, double mean = 0) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(mean + generator.next_normal());
  return values;
}

/// The first look with a p-value of at most alpha.
bool found_at_any(const std::vector<double>& values, const std::vector<std::int64_t>& declared,
                  double alpha) {
  for (const std::int64_t look : declared) {
    const Values first(values.data(), static_cast<std::size_t>(look));
    if (sign_flip_p(first, looks_until(declared, look)) <= alpha) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("declared looks share the level by Pocock's spending function") {
  const auto looks = looks_until({8, 16}, 16);
  REQUIRE(looks.size() == 2);
  CHECK(looks[0].share == doctest::Approx(std::log(1 + (std::exp(1.0) - 1) / 2)));
  CHECK(looks[0].share + looks[1].share == doctest::Approx(1));
  REQUIRE(looks_until({8, 16}, 8).size() == 1);
  CHECK(looks_until({8, 16}, 8)[0].share == doctest::Approx(looks[0].share));
  // What was not declared, and a single look, have all of it.
  CHECK(looks_until({8, 16}, 10)[0].share == 1);
  CHECK(looks_until({8}, 8)[0].share == 1);
  CHECK(looks_until({}, 8)[0].share == 1);
}

TEST_CASE("one look is the sign-flip test, and several cost something") {
  Generator generator(1, "values");
  const auto values = normal_values(generator, 12, 0.8);
  CHECK(sign_flip_p(values, looks_until({12}, 12)) == sign_flip_p(values));
  CHECK(equivalence_p(values, 3, looks_until({}, 12)) == equivalence_p(values, 3));
  CHECK(sign_flip_p(values, looks_until({6, 12}, 12)) >= sign_flip_p(values));
  const std::vector<double> zero(12, 0.0);
  CHECK(sign_flip_p(zero, looks_until({6, 12}, 12)) == 1);
}

TEST_CASE("what a look has found no later one takes back") {
  Generator generator(2, "values");
  for (int i = 0; i < 200; ++i) {
    const auto values = normal_values(generator, 12, 0.5);
    const double first = sign_flip_p(Values(values).first(6), looks_until({6, 12}, 6));
    CHECK(sign_flip_p(values, looks_until({6, 12}, 12)) <= first + 1e-12);
  }
}

TEST_CASE("two declared looks find nothing in at least 95 % of cases without a difference") {
  Generator generator(3, "values");
  const std::vector<std::int64_t> declared{6, 12};
  const int cases = 2000;
  int declared_hits = 0, greedy_hits = 0;
  for (int i = 0; i < cases; ++i) {
    const auto values = normal_values(generator, 12);
    declared_hits += found_at_any(values, declared, 0.05) ? 1 : 0;
    // Who looks again and again, and counts each look as the only one.
    for (const std::int64_t look : {6, 8, 10, 12}) {
      if (sign_flip_p(Values(values).first(static_cast<std::size_t>(look))) > 0.05) continue;
      ++greedy_hits;
      break;
    }
  }
  const double error = 3 * std::sqrt(0.05 * 0.95 / cases);
  CHECK(declared_hits <= (0.05 + error) * cases);
  CHECK(greedy_hits > (0.05 + error) * cases);
}

TEST_CASE("more than sixteen differences are judged by random patterns, near the exact answer") {
  Generator generator(4, "values");
  auto values = normal_values(generator, 16, 0.45);
  const double exact = sign_flip_p(values, looks_until({8, 16}, 16));
  values.push_back(0);  // adds nothing to any sum
  const std::vector<Look> looks{{8, looks_until({8, 16}, 16)[0].share},
                                {17, looks_until({8, 16}, 16)[1].share}};
  CHECK(sign_flip_p(values, looks) == doctest::Approx(exact).epsilon(0.1));
}
