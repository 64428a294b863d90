// Distribution functions and quantiles, by Boost.Math (in double; distributions.cpp alone includes
// it). All throw NumericError for a probability that is none.
#pragma once

namespace weft::compare {

double normal_cdf(double x);
double normal_quantile(double p);  ///< -inf and inf at 0 and 1

/// What Student's t with `freedom` degrees exceeds with probability `above`, which lies in (0, 1).
double t_quantile_above(double freedom, double above);

/// What a beta variable of these shapes, both above 0, stays below with probability p.
double beta_quantile(double a, double b, double p);

/// P(T > t) for T = (Z + shift) / S, S^2 a chi-square over its `freedom` degrees: noncentral t.
double noncentral_t_above(double t, double freedom, double shift);

/// The least shift of 0 or more for which P(T > t) is at least `power`, which lies in (0, 1).
double noncentral_t_shift(double t, double freedom, double power);

}  // namespace weft::compare
