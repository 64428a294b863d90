// Rows of every length against loops in f64: sums run in sixteen lanes, four rows of lanes at a
// time, and a tail, each of which can lose a part.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/kernels/norm.h"
#include "core/kernels/reduce.h"
#include "core/kernels/softmax.h"

namespace weft::rows_test {
namespace {

using Index = std::int64_t;
using Doubles = std::vector<double>;

constexpr Index kLongest = 2 * 64 + 37;

/// No two alike, and none near another's negative, so that a lost one shows.
template <class T>
std::vector<T> values(Index n, double salt) {
  std::vector<T> all;
  for (Index i = 0; i < n; ++i)
    all.push_back(static_cast<T>(std::sin(salt + static_cast<double>(i * i + 1)) + 0.3));
  return all;
}

template <class T>
Doubles wide(const std::vector<T>& x) {
  return Doubles(x.begin(), x.end());
}

double sum(const Doubles& x) {
  double total = 0;
  for (const double value : x) total += value;
  return total;
}

template <class F>
Doubles map(const Doubles& x, const Doubles& y, const F& f) {
  Doubles result;
  for (std::size_t i = 0; i < x.size(); ++i) result.push_back(f(x[i], y[i]));
  return result;
}

template <class T>
void check_near(const std::vector<T>& got, const Doubles& wanted, const char* what) {
  double worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    worst = std::max(worst,
                     std::abs(static_cast<double>(got[i]) - wanted[i]) / (1 + std::abs(wanted[i])));
  CHECK_MESSAGE(worst < (sizeof(T) == 4 ? 1e-5 : 1e-13), what, ": ", worst);
}

}  // namespace

TEST_CASE_TEMPLATE("softmax and its logarithm, rows of every length", T, float, double) {
  for (Index n = 1; n <= kLongest; ++n) {
    CAPTURE(n);
    const auto x = values<T>(n, 1), g = values<T>(n, 2);
    const Doubles xs = wide(x), gs = wide(g);
    const Doubles powers = map(xs, xs, [](double v, double) { return std::exp(v); });
    const double all = sum(powers);
    const Doubles p = map(powers, xs, [&](double e, double) { return e / all; });
    const double dot = sum(map(p, gs, [](double a, double b) { return a * b; })), of_g = sum(gs);
    std::vector<T> y(x.size()), dx(x.size());
    kernels::softmax(x.data(), y.data(), 1, n);
    check_near(y, p, "softmax");
    kernels::softmax_backward(y.data(), g.data(), dx.data(), 1, n);
    check_near(dx, map(p, gs, [&](double a, double b) { return a * (b - dot); }), "its gradient");
    kernels::log_softmax(x.data(), y.data(), 1, n);
    check_near(y, map(xs, xs, [&](double v, double) { return v - std::log(all); }), "logarithm");
    kernels::log_softmax_backward(y.data(), g.data(), dx.data(), 1, n);
    check_near(dx, map(p, gs, [&](double a, double b) { return b - a * of_g; }), "its gradient");
  }
}

TEST_CASE_TEMPLATE("the largest of a row, wherever it stands", T, float, double) {
  for (Index n = 1; n <= kLongest; ++n)
    for (Index at = 0; at < n; ++at) {
      // Far beyond what e^x holds: softmax is finite only when that is what it subtracts.
      std::vector<T> x(static_cast<std::size_t>(n), T(0)), y(x.size());
      x[static_cast<std::size_t>(at)] = T(1e4);
      kernels::softmax(x.data(), y.data(), 1, n);
      CHECK_MESSAGE(y[static_cast<std::size_t>(at)] == T(1), n, " elements, the largest at ", at);
    }
}

TEST_CASE_TEMPLATE("norms, rows of every length", T, float, double) {
  for (const kernels::Norm kind : {kernels::Norm::layer, kernels::Norm::rms})
    for (Index n = 2; n <= kLongest; ++n) {
      CAPTURE(n);
      const auto x = values<T>(n, 3), g = values<T>(n, 4);
      const Doubles xs = wide(x), gs = wide(g);
      const double size = static_cast<double>(n),
                   mean = kind == kernels::Norm::layer ? sum(xs) / size : 0;
      const double squares =
          sum(map(xs, xs, [&](double v, double) { return (v - mean) * (v - mean); }));
      const double rstd = 1 / std::sqrt(squares / size + 1e-5);
      const Doubles h = map(xs, xs, [&](double v, double) { return (v - mean) * rstd; });
      const double of_g = kind == kernels::Norm::layer ? sum(gs) / size : 0,
                   of_gh = sum(map(gs, h, [](double a, double b) { return a * b; })) / size;
      std::vector<T> y(x.size()), dx(x.size());
      T stored_mean = 0, stored_rstd = 0;
      const kernels::NormArgs<T> args{.kind = kind,
                                      .rows = 1,
                                      .n = n,
                                      .x = x.data(),
                                      .eps = T(1e-5),
                                      .mean = &stored_mean,
                                      .rstd = &stored_rstd};
      kernels::norm_forward(args, y.data());
      check_near(y, h, "norm");
      kernels::norm_backward(args, g.data(), dx.data(), static_cast<T*>(nullptr),
                             static_cast<T*>(nullptr));
      check_near(dx, map(gs, h, [&](double a, double b) { return rstd * (a - of_g - b * of_gh); }),
                 "its gradient");
    }
}

TEST_CASE_TEMPLATE("sums of every length", T, float, double) {
  for (Index n = 1; n <= kLongest; ++n) {
    CAPTURE(n);
    const auto x = values<T>(n, 5);
    std::vector<T> total(1);
    kernels::reduce(kernels::Reduce::sum, x.data(), 1, n, 1, total.data());
    check_near(total, {sum(wide(x))}, "sum");
  }
}

}  // namespace weft::rows_test
