// The statistics against the independent computation of tests/golden/make_statistics.py, and by
// hand where a hand is enough.
#include <set>

#include "tests/core/error_text.h"
#include "tests/golden/golden.h"
#include "train/compare/distributions.h"
#include "train/compare/power.h"
#include "train/compare/statistics.h"

using namespace weft;
using namespace weft::compare;
using weft::test::error_text;

namespace {

using Numbers = std::vector<double>;

const golden::Arrays& file() {
  static const golden::Arrays arrays = golden::load("statistics");
  return arrays;
}

Numbers numbers(const golden::Arrays& arrays, const std::string& name) {
  REQUIRE_MESSAGE(arrays.contains(name),
                  "no golden values for " << name << "; run tests/golden/make_statistics.py");
  return arrays.at(name).to_vector<double>();
}

/// The middle parts of names `prefix/MIDDLE/what`.
std::set<std::string> groups(const std::string& prefix) {
  std::set<std::string> names;
  for (const auto& [name, array] : golden::below(file(), prefix + "/"))
    names.insert(name.substr(0, name.find('/')));
  return names;
}

bool close(double ours, double theirs, double tolerance = 1e-11, double scale = 1e-12) {
  return ours == theirs || std::abs(ours - theirs) <= tolerance * std::max(std::abs(theirs), scale);
}

}  // namespace

TEST_CASE("mean, deviation, sign-flip and equivalence p-values are NumPy's and SciPy's") {
  const auto names = groups("case");
  CHECK(names.size() >= 17);
  for (const std::string& name : names) {
    CAPTURE(name);
    const auto arrays = golden::below(file(), "case/" + name + "/");
    const Numbers x = numbers(arrays, "values");
    const double scale = std::abs(*std::max_element(
        x.begin(), x.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
    CHECK(std::abs(mean(x) - numbers(arrays, "moments")[0]) < 1e-13 * scale);
    CHECK(std::abs(standard_deviation(x) - numbers(arrays, "moments")[1]) < 1e-13 * scale);
    CHECK(close(sign_flip_p(x), numbers(arrays, "p")[0]));
    CHECK(close(sign_flip_p(x, Tail::greater), numbers(arrays, "p")[1]));
    CHECK(
        close(equivalence_p(x, numbers(arrays, "margin")[0]), numbers(arrays, "p_equivalence")[0]));
  }
}

TEST_CASE(
    "beyond forty values random sign patterns come near the exact p-value, and no p-value is 0") {
  for (const std::string& n : groups("many")) {
    CAPTURE(n);
    const auto arrays = golden::below(file(), "many/" + n + "/");
    const Numbers x = numbers(arrays, "values");
    REQUIRE(std::ssize(x) > kSignFlipExact);
    const double exact = numbers(arrays, "p")[0];
    const double p = sign_flip_p(x, Tail::both, 3);
    CHECK(std::abs(p - exact) <
          4 * std::sqrt(exact * (1 - exact) / static_cast<double>(kSignFlipDraws)) + 1e-5);
    CHECK(p == sign_flip_p(x, Tail::both, 3));
    CHECK(sign_flip_p(x, Tail::both, 4) != p);
    const Numbers ones(x.size(), 1.0);
    CHECK(sign_flip_p(ones) == smallest_p(std::ssize(x)));
    CHECK(smallest_p(std::ssize(x)) == 1.0 / 200000);
  }
}

TEST_CASE("the sign-flip test by hand") {
  CHECK(sign_flip_p(Numbers{}) == 1);
  CHECK(sign_flip_p(Numbers{0, 0, 0}) == 1);
  CHECK(sign_flip_p(Numbers{1, 1, 1, 1, 1, 1}) == 2.0 / 64);
  CHECK(sign_flip_p(Numbers{1, 1, 1, 1, 1, -1}) == 14.0 / 64);
  CHECK(sign_flip_p(Numbers{1, 1, 1, 1, 1, -1}, Tail::greater) == 7.0 / 64);
  CHECK(sign_flip_p(Numbers{-1, -1, -1, -1, -1, 1}, Tail::greater) == 63.0 / 64);
  CHECK(sign_flip_p(Numbers{0.1, 0.2, -0.3}) == 1);  // 0.1 + 0.2 is not quite 0.3
  CHECK(sign_flip_p(Numbers{0.1, 0.2, 0.3}) == 2.0 / 8);
  CHECK(sign_flip_p(Numbers(40, 0.7)) == std::ldexp(1.0, -39));
  CHECK(sign_flip_p(Numbers(8, 1e-300)) == 2.0 / 256);
  CHECK(smallest_p(8) == 2.0 / 256);
  CHECK(smallest_p(8, Tail::greater) == 1.0 / 256);
  CHECK(smallest_p(1) == 1);
  CHECK(smallest_p(0) == 1);
}

TEST_CASE("equivalence by hand: both sides must be excluded") {
  const Numbers x{0.01, -0.01, 0.02, -0.02, 0.005, -0.005};
  CHECK(equivalence_p(x, 0.1) == 1.0 / 64);
  CHECK(equivalence_p(x, 0.001) > 0.3);
  CHECK(equivalence_p(x, 0) == 1);
  CHECK(equivalence_p(x, -1) == 1);
  CHECK(equivalence_p(Numbers(6, 0.2), 0.1) == 1);
  CHECK(equivalence_p(Numbers(6, 0.0), 0.1) == 1.0 / 64);
}

TEST_CASE("Holm's adjusted p-values are those of the paper's procedure") {
  for (const std::string& k : groups("holm")) {
    const auto arrays = golden::below(file(), "holm/" + k + "/");
    const Numbers ours = holm(numbers(arrays, "p")), theirs = numbers(arrays, "adjusted");
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(close(ours[i], theirs[i]));
  }
  CHECK(holm({}).empty());
  CHECK(holm({0.01, 0.04, 0.03}) == Numbers{0.03, 0.06, 0.06});
}

TEST_CASE("normal quantiles and the power of the t test are SciPy's") {
  const Numbers p = numbers(file(), "normal/p"), quantile = numbers(file(), "normal/quantile");
  for (std::size_t i = 0; i < p.size(); ++i) {
    CAPTURE(p[i]);
    CHECK(close(normal_quantile(p[i]), quantile[i], p[i] > 0.99 ? 1e-5 : 1e-12,
                1));  // 1 - p has lost digits before it comes here
  }
  const Numbers rows = numbers(file(), "t_power");
  for (std::size_t i = 0; i < rows.size(); i += 4) {
    CAPTURE(rows[i]);
    CAPTURE(rows[i + 1]);
    CAPTURE(rows[i + 2]);
    CHECK(close(t_test_power(static_cast<std::int64_t>(rows[i]), rows[i + 1], rows[i + 2]),
                rows[i + 3], 1e-6));
  }
}

TEST_CASE("what is not a number, no probability or no pair is refused") {
  CHECK(error_text<NumericError>([] { mean(Numbers{}); }) == "[statistics] the mean of no values");
  CHECK(error_text<NumericError>([] {
          sign_flip_p(Numbers{1, NAN});
        }) == "[statistics] expects finite values, got nan");
  CHECK(error_text<ShapeError>([] {
          paired_differences(Numbers{1, 2}, Numbers{1});
        }) == "[statistics] pairs need as many values of one arm as of the other: 2 and 1");
  CHECK(error_text<NumericError>([] {
          holm({0.5, NAN});
        }) == "[statistics] a p-value must lie in [0, 1], got nan");
  CHECK(error_text<NumericError>([] { normal_quantile(1.5); }) ==
        "[statistics] a probability must lie in [0, 1], got 1.5");
}
