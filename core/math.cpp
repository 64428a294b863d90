#include "core/math.h"

#include <bit>
#include <cmath>
#include <limits>

namespace weft::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// log 2 in two parts: the first has so many zeros at its end that products with exponents are
// exact.
constexpr double kLog2High = 0x1.62e42feep-1, kLog2Low = 0x1.a39ef35793c76p-33;

/// c0 + c1 x + c2 x^2 + ..., from the last on.
template <int N>
double polynomial(const double (&c)[N], double x) {
  double sum = c[N - 1];
  for (int i = N - 2; i >= 0; --i) sum = sum * x + c[i];
  return sum;
}

/// 2^n for -1022 <= n <= 1023.
double power_of_two(std::int64_t n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

/// x 2^n; at most one rounding, of a denormal result.
double scale(double x, std::int64_t n) {
  if (n > 1023) return x * power_of_two(1023) * power_of_two(n - 1023);
  if (n < -1022) return x * power_of_two(n + 1000) * power_of_two(-1000);
  return x * power_of_two(n);
}

/// The nearest whole number, halves to even, of |x| < 2^51.
double nearest(double x) {
  constexpr double kMagic = 0x1.8p52;
  return (x + kMagic) - kMagic;
}

/// x = n log 2 + r, |r| <= log(2) / 2; returns (e^r - 1) and sets n and r. |x| <= 800.
double exp_reduced(double x, double& n, double& r) {
  // (e^r - 1 - r) / r^2: a Chebyshev fit, error 2e-20.
  static constexpr double kFit[] = {0x1p-1,
                                    0x1.5555555555555p-3,
                                    0x1.5555555555557p-5,
                                    0x1.1111111111111p-7,
                                    0x1.6c16c16c15a03p-10,
                                    0x1.a01a01a019676p-13,
                                    0x1.a01a01aa13da2p-16,
                                    0x1.71de3a5abe473p-19,
                                    0x1.27e4d3a8962fep-22,
                                    0x1.ae642c0a93dcfp-26,
                                    0x1.1f7ff790c1201p-29,
                                    0x1.61c0880f83417p-33};
  n = nearest(x * 0x1.71547652b82fep+0);
  const double high = x - n * kLog2High, low = n * kLog2Low;
  r = high - low;
  const double rest = (high - r) - low;  // what rounding took from r
  return r + (r * r * polynomial(kFit, r) + rest);
}

/// log(1 + f) - f + f^2 / 2 for f in [sqrt(1/2) - 1, sqrt(2) - 1].
double log_rest(double f, double half_square) {
  // (2 atanh(s) / s - 2) / s^2 of s^2, with s = f / (2 + f): a Chebyshev fit, error 1e-20.
  static constexpr double kFit[] = {
      0x1.5555555555555p-1, 0x1.9999999999998p-2, 0x1.2492492492962p-2,
      0x1.c71c71c64b463p-3, 0x1.745d17d40cf59p-3, 0x1.3b137afb813a0p-3,
      0x1.111d30dcfa14ap-3, 0x1.debd2cc5021e0p-4, 0x1.e6bf079f670fep-4};
  const double s = f / (2 + f), z = s * s;
  return s * (half_square + z * polynomial(kFit, z));
}

/// sin and cos of |r| <= pi/4 + a little, given as r + low. Chebyshev fits, errors 5e-24, 3e-25.
double sin_reduced(double r, double low) {
  static constexpr double kFit[] = {
      -0x1.5555555555555p-3,  0x1.1111111111111p-7,  -0x1.a01a01a01a019p-13, 0x1.71de3a556c2c7p-19,
      -0x1.ae64567e72f38p-26, 0x1.61245fb4cbac1p-33, -0x1.ae7c5380b1d5fp-41, 0x1.924296786f1a3p-49};
  const double z = r * r;
  return r + (r * z * polynomial(kFit, z) + low * (1 - 0.5 * z));
}
double cos_reduced(double r, double low) {
  static constexpr double kFit[] = {
      0x1.5555555555555p-5,  -0x1.6c16c16c16c17p-10, 0x1.a01a01a01a019p-16, -0x1.27e4fb7789d97p-22,
      0x1.1eed8eff3359ap-29, -0x1.9397495419394p-37, 0x1.ae7ce8a3f8ba5p-45, -0x1.65d2a22e5abfap-53};
  const double z = r * r, half = 0.5 * z, one = 1 - half;
  return one + (((1 - one) - half) + (z * z * polynomial(kFit, z) - r * low));
}

struct Reduced {
  int quadrant;      ///< 0 .. 3
  double high, low;  ///< x - quadrant pi/2, up to a multiple of 2 pi
};

/// |x| < 2^20.
Reduced reduce_near(double x) {
  // pi/2 in parts of 33 bits, so that products with n are exact.
  const double n = nearest(x * 0x1.45f306dc9c883p-1);
  const double first = x - n * 0x1.921fb544p+0, second = n * 0x1.0b4611a6p-34;
  const double a = first - second, lost = (first - a) - second;
  const double third = n * 0x1.3198a2ep-69 + n * 0x1.b839a252049c1p-104;
  const double high = a + (lost - third);
  return {static_cast<int>(static_cast<std::int64_t>(n) & 3), high, ((a - high) + lost) - third};
}

/// Payne and Hanek 1983 (ACM SIGNUM Newsletter 18): only those digits of 2/pi are multiplied that
/// reach the last bits of the quadrant and the 128 bits behind the point. |x| >= 2^20.
Reduced reduce_far(double x) {
  static constexpr std::uint64_t kTwoOverPi[] = {
      // digits behind the point, base 2^64
      0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
      0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
      0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
      0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
      0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x < 0 ? -x : x);
  const int exponent = static_cast<int>(bits >> 52) - 1075;  // x = mantissa 2^exponent
  const std::uint64_t mantissa = (bits & 0xfffffffffffffu) | (std::uint64_t{1} << 52);
  // Digits that stand for whole multiples of 4 quadrants drop out: the window begins two bits
  // before the point of the product, less the mantissa's width.
  const auto digits = [&](int bit) {  // 64 of them, from `bit` behind the point on
    if (bit < 0) return bit > -64 ? kTwoOverPi[0] >> -bit : std::uint64_t{0};
    const int word = bit / 64, shift = bit % 64;
    const std::uint64_t next = word + 1 < 20 ? kTwoOverPi[word + 1] : 0;
    return shift == 0 ? kTwoOverPi[word] : kTwoOverPi[word] << shift | next >> (64 - shift);
  };
  const int begin = exponent - 64 + 62;  // the product's top 64 bits then hold 2 bits of quadrants
  using Wide = unsigned __int128;
  // (d0 2^128 + d1 2^64 + d2) mantissa, modulo 2^192.
  const Wide low = Wide{digits(begin + 128)} * mantissa;
  const Wide middle = Wide{digits(begin + 64)} * mantissa + static_cast<std::uint64_t>(low >> 64);
  const std::uint64_t top = digits(begin) * mantissa + static_cast<std::uint64_t>(middle >> 64);
  Wide fraction = Wide{top} << 64 | static_cast<std::uint64_t>(middle);
  int quadrant = static_cast<int>(fraction >> 126);
  fraction <<= 2;
  const bool above = (fraction >> 127) != 0;  // nearer to the next quadrant
  if (above) {
    fraction = -fraction;
    quadrant = (quadrant + 1) & 3;
  }
  // fraction / 2^128 in two doubles, times pi/2.
  const auto top_part = static_cast<std::uint64_t>(fraction >> 75);  // 53 bits
  const auto rest = static_cast<std::uint64_t>(fraction >> 22) & ((std::uint64_t{1} << 53) - 1);
  const double a = static_cast<double>(top_part) * 0x1p-53,
               b = static_cast<double>(rest) * 0x1p-106;
  constexpr double kHalfPi = 0x1.921fb54442d18p+0, kHalfPiLow = 0x1.1a62633145c07p-54;
  // a * kHalfPi exactly, by halves of 26 bits (Dekker 1971).
  const auto halves = [](double v, double& upper, double& lower) {
    const double c = 0x1.0000002p27 * v;
    upper = c - (c - v);
    lower = v - upper;
  };
  double au, al, pu, pl;
  halves(a, au, al);
  halves(kHalfPi, pu, pl);
  const double product = a * kHalfPi;
  const double error = ((au * pu - product) + au * pl + al * pu) + al * pl;
  const double low_part = error + (a * kHalfPiLow + b * kHalfPi);
  double high = product + low_part, tail = (product - high) + low_part;
  if (above) high = -high, tail = -tail;
  if (x < 0) high = -high, tail = -tail, quadrant = (4 - quadrant) & 3;
  return {quadrant, high, tail};
}

Reduced reduce(double x) { return x > -0x1p20 && x < 0x1p20 ? reduce_near(x) : reduce_far(x); }

double of_quadrant(const Reduced& r, int shift) {
  const int quadrant = (r.quadrant + shift) & 3;
  const double value = quadrant % 2 ? cos_reduced(r.high, r.low) : sin_reduced(r.high, r.low);
  return quadrant >= 2 ? -value : value;
}

/// erfc of x >= 1: e^(-x^2) g / (x + 3), g a Chebyshev fit in t = (x - 3) / (x + 3), error 9e-18.
double erfc_far(double x) {
  static constexpr double kFit[] = {
      0x1.12f21ddd9f5e2p+0,   -0x1.c44c471baa379p-1,  0x1.2e326945de2b7p-1,
      -0x1.3deb21415d967p-2,  0x1.e995f11b16b3fp-4,   -0x1.b78993d75000bp-6,
      -0x1.3dd3e70986fb0p-10, 0x1.8dae3a919b0d2p-9,   -0x1.1f78e2f7a20d3p-11,
      -0x1.2239240012efap-12, 0x1.c326083d8b5ecp-14,  0x1.fe0e9b05dbe88p-16,
      -0x1.253614d3136d4p-16, -0x1.3f83c3518d847p-18, 0x1.770908e8442f4p-19,
      0x1.0fe00f71b0182p-20,  -0x1.000facfafd636p-21, -0x1.c7bad5a6fbff1p-23,
      0x1.e208842cca0f1p-24,  -0x1.868812e638171p-28};
  // x^2 = upper^2 + (x - upper) (x + upper), the first exactly.
  const double upper =
      std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & ~std::uint64_t{0x7ffffff});
  const double bell = exp(-upper * upper), correction = exp(-(x - upper) * (x + upper));
  return bell * correction * (polynomial(kFit, (x - 3) / (x + 3)) / (x + 3));
}

/// erf of |x| <= 1. A Chebyshev fit, error 1e-19.
double erf_near(double x) {
  static constexpr double kFit[] = {
      0x1.20dd750429b6dp+0,  -0x1.812746b0379e6p-2,  0x1.ce2f21a042b30p-4,  -0x1.b82ce31284e00p-6,
      0x1.565bcd0dbaa38p-8,  -0x1.c02db3dac435fp-11, 0x1.f9a321d5b8e1ep-14, -0x1.f4d1e3183f7aep-17,
      0x1.b9df224ca4b97p-20, -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27, -0x1.389d4f2641625p-30,
      0x1.05ffd737fb32ep-34};
  return x * polynomial(kFit, x * x);
}

}  // namespace

double exp(double x) {
  if (x != x) return x;
  if (x > 709.8) return kInfinity;
  if (x < -745.2) return 0;
  double n, r;
  const double value = exp_reduced(x, n, r);
  return scale(1 + value, static_cast<std::int64_t>(n));
}

double expm1(double x) {
  if (x != x || x == 0) return x;
  if (x > 709.8) return kInfinity;
  if (x < -40) return -1;
  double n, r;
  const double value = exp_reduced(x, n, r);
  if (n == 0) return value;
  const auto k = static_cast<std::int64_t>(n);
  if (k > 60) return scale(1 + value, k);
  const double power = power_of_two(k);
  return power * value + (power - 1);
}

double log(double x) {
  if (x != x || x == kInfinity) return x;
  if (x == 0) return -kInfinity;
  if (x < 0) return kNaN;
  std::int64_t n = 0;
  if (x < std::numeric_limits<double>::min()) x *= 0x1p54, n = -54;
  // x = 2^n m with m in [sqrt(1/2), sqrt(2)).
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const auto shifted = static_cast<std::int64_t>(bits - 0x3fe6a09e667f3bcdu);
  n += shifted >> 52;
  const double m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(shifted >> 52) << 52));
  const double f = m - 1, half_square = 0.5 * f * f, k = static_cast<double>(n);
  const double rest = log_rest(f, half_square) + k * kLog2Low;
  return k * kLog2High - ((half_square - rest) - f);
}

double log1p(double x) {
  if (x != x || x == 0 || x == kInfinity) return x;
  if (x < -1) return kNaN;
  if (x == -1) return -kInfinity;
  if (x > -0.29 && x < 0.41) {
    const double half_square = 0.5 * x * x;
    return x - (half_square - log_rest(x, half_square));
  }
  const double u = 1 + x;
  const double lost = x > 1 ? 1 - (u - x) : x - (u - 1);
  return log(u) + lost / u;
}

double tanh(double x) {
  if (x != x) return x;
  const double a = x < 0 ? -x : x;
  double value = 1;
  if (a < 22) {
    const double e = expm1(2 * a);
    value = e / (e + 2);
  }
  return std::copysign(value, x);
}

double erf(double x) {
  if (x != x) return x;
  const double a = x < 0 ? -x : x;
  if (a < 1) return erf_near(x);
  return std::copysign(a > 6 ? 1.0 : 1 - erfc_far(a), x);
}

double erfc(double x) {
  if (x != x) return x;
  if (x >= 1) return x > 27.3 ? 0 : erfc_far(x);
  if (x <= -1) return x < -6 ? 2 : 2 - erfc_far(-x);
  return x < 0.5 ? 1 - erf_near(x) : 0.5 - (erf_near(x) - 0.5);
}

double sin(double x) {
  if (!(x - x == 0)) return kNaN;
  return x == 0 ? x : of_quadrant(reduce(x), 0);
}

double cos(double x) {
  if (!(x - x == 0)) return kNaN;
  return of_quadrant(reduce(x), 1);
}

double power(double base, std::int64_t n) {
  double result = 1;
  const bool inverse = n < 0;
  for (auto rest = static_cast<std::uint64_t>(inverse ? -n : n); rest > 0; rest >>= 1) {
    if (rest & 1) result *= base;
    base *= base;
  }
  return inverse ? 1 / result : result;
}

double pow(double base, double exponent) {
  if (exponent == 0 || base == 1) return 1;
  if (const double whole = std::trunc(exponent);
      whole == exponent && whole > -0x1p20 && whole < 0x1p20)
    return power(base, static_cast<std::int64_t>(whole));
  if (std::signbit(base)) {  // large whole numbers are even from 2^53 on, and so are infinities
    if (std::trunc(exponent) != exponent)
      return base == 0 || std::isinf(base) ? exp(exponent * log(-base)) : kNaN;
    const double size = base == -1 ? 1 : exp(exponent * log(-base));
    return std::fmod(exponent, 2) == 1 || std::fmod(exponent, 2) == -1 ? -size : size;
  }
  return exp(exponent * log(base));
}

}  // namespace weft::math
