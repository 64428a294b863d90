#include "train/compare/distributions.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "core/error.h"

namespace weft::compare {
namespace {

namespace math = boost::math;
namespace policies = boost::math::policies;

// Without promotion to long double, which is slow, and another type on other machines.
using InDouble = policies::policy<policies::promote_float<false>, policies::promote_double<false>>;

constexpr std::uintmax_t kMostSteps = 200;  // a root takes about ten

void check_probability(double p) {
  if (!(p >= 0 && p <= 1))
    fail<NumericError>("statistics", "a probability must lie in [0, 1], got {}", p);
}

void check_inner_probability(double p) {
  if (!(p > 0 && p < 1))
    fail<NumericError>("statistics", "a probability must lie between 0 and 1, got {}", p);
}

}  // namespace

double normal_cdf(double x) { return 0.5 * math::erfc(-x / std::numbers::sqrt2, InDouble()); }

double normal_quantile(double p) {
  check_probability(p);
  if (p == 0 || p == 1) return (p == 0 ? -1 : 1) * std::numeric_limits<double>::infinity();
  return -std::numbers::sqrt2 * math::erfc_inv(2 * p, InDouble());
}

double t_quantile_above(double freedom, double above) {
  check_inner_probability(above);
  const math::students_t_distribution<double, InDouble> t(freedom);
  return math::quantile(math::complement(t, above));
}

double beta_quantile(double a, double b, double p) {
  check_inner_probability(p);
  return math::quantile(math::beta_distribution<double, InDouble>(a, b), p);
}

double noncentral_t_above(double t, double freedom, double shift) {
  const math::non_central_t_distribution<double, InDouble> shifted(freedom, shift);
  return math::cdf(math::complement(shifted, t));
}

double noncentral_t_shift(double t, double freedom, double power) {
  check_inner_probability(power);
  const auto lacking = [&](double shift) { return noncentral_t_above(t, freedom, shift) - power; };
  if (lacking(0) >= 0) return 0;
  // About what a normal tail would ask for.
  const double guess = std::max(0.1, t + normal_quantile(power));
  std::uintmax_t steps = kMostSteps;
  const auto [low, high] = math::tools::bracket_and_solve_root(
      lacking, guess, 2.0, true, math::tools::eps_tolerance<double>(50), steps, InDouble());
  return low + (high - low) / 2;
}

}  // namespace weft::compare
