// Elementary functions: near the exact results, and with the committed bits on every machine.
#include "core/math.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

using namespace weft;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Error in units in the last place of the exact result, which the C library gives in long double.
double units(double got, long double exact) {
  const double nearest = static_cast<double>(exact);
  if (got == nearest) return 0;
  const double unit = std::nextafter(std::abs(nearest), std::numeric_limits<double>::infinity()) -
                      std::abs(nearest);
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / unit);
}

/// Reproducible numbers in [0, 1), by integers alone.
class Numbers {
 public:
  double operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_ = 1;
};

struct Range {
  const char* name;
  std::function<double(double)> ours;
  std::function<long double(long double)> exact;
  double low, high, most;
};

using L = long double;

const std::vector<Range>& ranges() {
  static const std::vector<Range> all = {
      {"exp", math::exp, [](L x) { return std::exp(x); }, -700, 700, 1},
      {"exp", math::exp, [](L x) { return std::exp(x); }, -1, 1, 1},
      {"expm1", math::expm1, [](L x) { return std::expm1(x); }, -1, 1, 1.6},
      {"expm1", math::expm1, [](L x) { return std::expm1(x); }, -40, 700, 1.6},
      {"log", math::log, [](L x) { return std::log(x); }, 0, 4, 1},
      {"log", math::log, [](L x) { return std::log(x); }, 0, 1e300, 1},
      {"log1p", math::log1p, [](L x) { return std::log1p(x); }, -0.9, 1, 1.2},
      {"log1p", math::log1p, [](L x) { return std::log1p(x); }, 0, 1e6, 1},
      {"tanh", math::tanh, [](L x) { return std::tanh(x); }, -3, 3, 2.5},
      {"tanh", math::tanh, [](L x) { return std::tanh(x); }, -25, 25, 2.5},
      {"erf", math::erf, [](L x) { return std::erf(x); }, -1, 1, 2},
      {"erf", math::erf, [](L x) { return std::erf(x); }, -6, 6, 2},
      {"erfc", math::erfc, [](L x) { return std::erfc(x); }, -1, 1, 7},
      {"erfc", math::erfc, [](L x) { return std::erfc(x); }, 1, 26, 7},
      {"sin", math::sin, [](L x) { return std::sin(x); }, -4, 4, 0.8},
      {"sin", math::sin, [](L x) { return std::sin(x); }, -1e6, 1e6, 0.8},
      {"sin", math::sin, [](L x) { return std::sin(x); }, -1e15, 1e15, 0.8},
      {"cos", math::cos, [](L x) { return std::cos(x); }, -4, 4, 0.8},
      {"cos", math::cos, [](L x) { return std::cos(x); }, -1e6, 1e6, 0.8},
      {"cos", math::cos, [](L x) { return std::cos(x); }, -1e15, 1e15, 0.8},
      {"pow", [](double x) { return math::pow(x, 0.75); }, [](L x) { return std::pow(x, 0.75L); },
       0, 1e9, 25},
      {"power", [](double x) { return math::power(x, 1001); },
       [](L x) { return std::pow(x, 1001.0L); }, 0.9, 1, 2000}};
  return all;
}

}  // namespace

TEST_CASE("elementary functions are near the exact results") {
  for (const Range& range : ranges()) {
    Numbers numbers;
    double worst = 0, at = 0;
    for (int i = 0; i < 20'000; ++i) {
      const double x = range.low + numbers() * (range.high - range.low);
      if (const double error = units(range.ours(x), range.exact(x)); !(error <= worst))
        worst = error, at = x;
    }
    CHECK_MESSAGE(worst <= range.most, std::string(range.name), " [", range.low, ", ", range.high,
                  "]: ", worst, " units at ", at);
  }
}

TEST_CASE("elementary functions at the ends of their ranges") {
  for (const auto f : {math::exp, math::expm1, math::log, math::log1p, math::tanh, math::erf,
                       math::erfc, math::sin, math::cos})
    CHECK(std::isnan(f(kNaN)));
  CHECK(math::exp(-kInfinity) == 0);
  CHECK(math::exp(kInfinity) == kInfinity);
  CHECK(math::exp(-745) == std::numeric_limits<double>::denorm_min());
  CHECK(math::expm1(-kInfinity) == -1);
  CHECK(math::log(0) == -kInfinity);
  CHECK(std::isnan(math::log(-1)));
  CHECK(math::log(1) == 0);
  CHECK(math::log(std::numeric_limits<double>::denorm_min()) ==
        doctest::Approx(-744.4400719213812));
  CHECK(math::log1p(-1) == -kInfinity);
  CHECK(math::tanh(-kInfinity) == -1);
  CHECK(math::erfc(-kInfinity) == 2);
  CHECK(math::erfc(kInfinity) == 0);
  for (const double x : {-1.0, -1.5, -2.0, -5.0, -7.0})  // the ranges above begin at -1
    CHECK(math::erfc(x) == doctest::Approx(std::erfc(x)).epsilon(1e-15));
  CHECK(std::isnan(math::sin(kInfinity)));
  CHECK(std::isnan(math::cos(-kInfinity)));
  for (const auto f : {math::expm1, math::log1p, math::tanh, math::erf, math::sin}) {
    CHECK(std::signbit(f(-0.0)));
    CHECK(f(-0.0) == 0);
  }
  CHECK(math::sin(1e22) == doctest::Approx(-0.8522008497671888).epsilon(1e-15));
  CHECK(math::pow(-2, 3) == -8);
  CHECK(math::pow(-2, -2) == 0.25);
  CHECK(std::isnan(math::pow(-2, 0.5)));
  CHECK(math::pow(0, 0.5) == 0);
  CHECK(math::pow(0, -0.5) == kInfinity);
  CHECK(math::pow(kNaN, 0) == 1);
  CHECK(math::pow(1, kNaN) == 1);
  CHECK(math::pow(-1, 1e300) == 1);
  CHECK(math::power(2, -1074) == 0);  // 1 / 2^1074, and 2^1074 is infinite
}

TEST_CASE("elementary functions have the committed bits") {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const Range& range : ranges()) {
    Numbers numbers;
    for (int i = 0; i < 2000; ++i) {
      const double x = range.low + numbers() * (range.high - range.low);
      hash = (hash ^ std::bit_cast<std::uint64_t>(range.ours(x))) * 0x100000001b3u;
    }
  }
  CHECK(hash == 0xf155bc55d65b3fbeu);
}

TEST_CASE("pow is what C's pow is for zeros, infinities, NaN and odd and even exponents") {
  const double bases[] = {0.0, -0.0, 0.5, -0.5, 1, -1, 2, -2, kInfinity, -kInfinity, kNaN};
  const double exponents[] = {0.0,     0.5,      1,    2,         3,   8388608,
                              8388609, 1e15 + 1, 1e17, kInfinity, 1.5, kNaN};
  for (const double base : bases)
    for (const double size : exponents)
      for (const double exponent : {size, -size}) {
        CAPTURE(base);
        CAPTURE(exponent);
        const double got = math::pow(base, exponent), wanted = std::pow(base, exponent);
        CHECK(std::isnan(got) == std::isnan(wanted));
        if (std::isnan(wanted)) continue;
        CHECK(std::signbit(got) == std::signbit(wanted));
        if (wanted == 0 || std::isinf(wanted))
          CHECK(got == wanted);
        else
          CHECK(got == doctest::Approx(wanted).epsilon(1e-12));
      }
}
