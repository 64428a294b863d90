// Elementary functions in double, with the same bits on every machine: additions, multiplications
// and divisions in a fixed order, and nothing of the C library, whose versions (and the variants
// that it chooses for a CPU) round differently. What reaches a parameter, a metric or a sample is
// computed with these, or with the vectors of core/kernels/vector_math-inl.h. Not for users.
#pragma once

#include <cstdint>

namespace weft::math {

/// Largest errors in units in the last place (tests/core/test_math.cpp measures them): exp, log,
/// sin and cos 1, log1p 1.2, expm1 1.6, erf 2, tanh 2.5, erfc 7. NaN gives NaN; infinities and
/// signed zeros as in C.
double exp(double x);
double expm1(double x);
double log(double x);
double log1p(double x);
double tanh(double x);
double erf(double x);
double erfc(double x);
/// Of any finite argument, reduced by as many digits of pi as it needs; NaN for infinities.
double sin(double x);
double cos(double x);

/// base^n by repeated squaring.
double power(double base, std::int64_t n);
/// base^exponent for a base of at least 0; an error of some units in the last place per unit of
/// |exponent * log(base)|.
double pow(double base, double exponent);

}  // namespace weft::math
