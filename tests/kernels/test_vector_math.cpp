// Accuracy of the f32 vector functions over the whole range of floats, on every instruction set
// this machine has.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "core/kernels/simd.h"

#include <hwy/highway.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "core/kernels/unary.h"

using weft::kernels::Unary;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

double sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }
double gelu_tanh_argument(double x) {
  return 2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x);
}
/// A limit of 0 times an infinite x.
double times(double x, double share) { return share == 0 ? std::copysign(0.0, x) : x * share; }

struct Function {
  const char* name;
  Unary op;
  std::function<double(double)> exact;
  double max_ulp;    ///< of the exact result, where |exact| >= floor
  double floor = 0;  ///< below it, the error is counted in units of the last place of `floor`
};

const std::vector<Function>& functions() {
  static const std::vector<Function> list = {
      {"exp", Unary::exp, [](double x) { return std::exp(x); }, 1.5},
      {"log", Unary::log, [](double x) { return std::log(x); }, 1.5},
      {"sqrt", Unary::sqrt, [](double x) { return std::sqrt(x); }, 0.5001},
      {"rsqrt", Unary::rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1.6},
      {"sin", Unary::sin, [](double x) { return std::sin(x); }, 3},
      {"cos", Unary::cos, [](double x) { return std::cos(x); }, 3},
      {"tanh", Unary::tanh, [](double x) { return std::tanh(x); }, 3.5},
      {"sigmoid", Unary::sigmoid, sigmoid, 3},
      {"erf", Unary::erf, [](double x) { return std::erf(x); }, 3},
      {"softplus", Unary::softplus,
       [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, 2.5},
      {"silu", Unary::silu, [](double x) { return times(x, sigmoid(x)); }, 4, 0x1p-118},
      {"gelu erf", Unary::gelu_erf, [](double x) { return times(x, normal_cdf(x)); }, 8.5, 0x1p-10},
      {"gelu tanh", Unary::gelu_tanh,
       [](double x) { return times(x, sigmoid(gelu_tanh_argument(x))); }, 16, 0x1p-10},
  };
  return list;
}

/// Units in the last place of the float nearest to `exact`.
double ulps(float got, double exact, double floor) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : kInfinity;
  if (static_cast<float>(exact) == got)
    return std::abs(static_cast<double>(got) - exact) > 0 && std::isfinite(got) ? 0.5 : 0;
  if (!std::isfinite(got)) return kInfinity;
  const int exponent = std::max(std::ilogb(std::max(std::abs(exact), floor)), -126);
  return std::abs(static_cast<double>(got) - exact) / std::ldexp(1.0, exponent - 23);
}

void for_each_target(const std::function<void(const char*)>& body) {
  for (const std::int64_t target :
       {HWY_SCALAR, HWY_EMU128, HWY_SSE4, HWY_AVX2, HWY_AVX3, HWY_NEON, HWY_SVE}) {
    if ((hwy::SupportedTargets() & target) == 0 || (HWY_TARGETS & target) == 0) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
    body(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
  }
}

std::vector<float> run(Unary op, const std::vector<float>& x) {
  std::vector<float> out(x.size());
  weft::kernels::unary(op, x.data(), out.data(), static_cast<std::int64_t>(x.size()));
  return out;
}

}  // namespace

TEST_CASE("vector functions keep their error bounds over all floats") {
  const char* wanted = std::getenv(
      "WEFT_ULP_STRIDE");  // 1 tries every float (minutes); the default a million of them
  const std::uint64_t stride = wanted ? std::strtoull(wanted, nullptr, 10) : 4099;
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits <= 0xffffffffu; bits += stride)
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  for (int i = -40000; i <= 40000; ++i)
    x.push_back(static_cast<float>(i) * 0x1p-11f);  // the range that networks live in
  for_each_target([&](const char* target) {
    for (const Function& f : functions()) {
      const std::vector<float> got = run(f.op, x);
      double worst = 0;
      float where = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(got[i], f.exact(static_cast<double>(x[i])), f.floor);
        if (error > worst) worst = error, where = x[i];
      }
      fmt::print("{:>8} {:<10} largest error {:7.3f} ulp, at {:.9g}\n", target, f.name, worst,
                 where);
      CHECK_MESSAGE(worst <= f.max_ulp, target, " ", f.name, ": ", worst, " ulp at ", where);
    }
  });
}

TEST_CASE("vector functions at the special values") {
  struct Expectation {
    Unary op;
    float at_minus_infinity, at_infinity, at_zero;
  };
  const Expectation table[] = {
      {Unary::exp, 0, kInfinity, 1},
      {Unary::log, kNan, kInfinity, -kInfinity},
      {Unary::sqrt, kNan, kInfinity, 0},
      {Unary::rsqrt, kNan, 0, kInfinity},
      {Unary::sin, kNan, kNan, 0},
      {Unary::cos, kNan, kNan, 1},
      {Unary::tanh, -1, 1, 0},
      {Unary::sigmoid, 0, 1, 0.5f},
      {Unary::erf, -1, 1, 0},
      {Unary::softplus, 0, kInfinity, std::numbers::ln2_v<float>},
      {Unary::silu, 0, kInfinity, 0},
      {Unary::gelu_erf, 0, kInfinity, 0},
      {Unary::gelu_tanh, 0, kInfinity, 0},
      {Unary::abs, kInfinity, kInfinity, 0},
      {Unary::sign, -1, 1, 0},
      {Unary::relu, 0, kInfinity, 0},
      {Unary::square, kInfinity, kInfinity, 0},
      {Unary::neg, kInfinity, -kInfinity, 0},
  };
  const auto same = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  for_each_target([&](const char* target) {
    for (const Expectation& e : table) {
      const std::vector<float> got = run(e.op, {-kInfinity, kInfinity, 0.0f, kNan});
      CAPTURE(target);
      CAPTURE(static_cast<int>(e.op));
      CHECK_MESSAGE(same(got[0], e.at_minus_infinity), "at -infinity: ", got[0]);
      CHECK_MESSAGE(same(got[1], e.at_infinity), "at infinity: ", got[1]);
      CHECK_MESSAGE(same(got[2], e.at_zero), "at 0: ", got[2]);
      CHECK_MESSAGE(std::isnan(got[3]), "at NaN: ", got[3]);
    }
    CHECK(std::signbit(run(Unary::tanh, {-0.0f})[0]));
    CHECK(std::signbit(run(Unary::erf, {-0.0f})[0]));
    CHECK(run(Unary::tanh, {1e-40f})[0] == 1e-40f);
    // The derivatives have finite limits too: 0 and 1 for the gates.
    for (const Unary op : {Unary::gelu_erf, Unary::gelu_tanh, Unary::silu, Unary::softplus}) {
      const std::vector<float> x = {-kInfinity, kInfinity, -1e30f, 1e30f, kNan}, g(5, 1.0f);
      std::vector<float> dx(5);
      weft::kernels::unary_backward(op, x.data(), g.data(), dx.data(), 5);
      CAPTURE(static_cast<int>(op));
      CHECK(dx[0] == 0);
      CHECK(dx[1] == 1);
      CHECK(dx[2] == 0);
      CHECK(dx[3] == 1);
      CHECK(std::isnan(dx[4]));
    }
  });
}

TEST_CASE("an element's value does not depend on where in the array it stands") {
  for_each_target([&](const char* target) {
    for (int op = 0; op <= static_cast<int>(Unary::softplus); ++op) {
      std::vector<float> x;
      for (int i = 0; i < 45; ++i) x.push_back(static_cast<float>(i - 20) * 0.37f);
      const std::vector<float> whole = run(static_cast<Unary>(op), x);
      for (std::size_t n = 1; n <= x.size(); ++n) {
        std::vector<float> part(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n));
        weft::kernels::unary(static_cast<Unary>(op), part.data(), part.data(),
                             static_cast<std::int64_t>(n));  // in place
        for (std::size_t i = 0; i < n; ++i)
          CHECK_MESSAGE(
              std::bit_cast<std::uint32_t>(part[i]) == std::bit_cast<std::uint32_t>(whole[i]),
              target, " op ", op, ", element ", i, " of ", n);
      }
    }
  });
}
