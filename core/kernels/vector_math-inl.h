// Elementary functions on vectors of f32, for every float input: NaN gives NaN, infinities their
// limits, denormals are not flushed. Compiled once per target: include after hwy/highway.h, use
// inside HWY_NAMESPACE.
//
// Largest error in units in the last place of the exact result, over all floats
// (tests/kernels/test_vector_math.cpp prints the table):
//   Exp 1, Log 0.9, Log1p01 and Softplus 1.7, Tanh 2.6, Sigmoid 2.3, Erf 2.5, Sin and Cos 2.4 (|x|
//   <= kSinCosLimit), Silu 3 (above 2^-118), Gelu 8 and GeluTanh 15 (above 2^-10; below, so many
//   units of a result of 2^-10).
// Polynomials are weighted minimax fits (Remez exchange in 40 digits) of the function named beside
// them.
#if defined(WEFT_CORE_KERNELS_VECTOR_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_CORE_KERNELS_VECTOR_MATH_INL_H
#undef WEFT_CORE_KERNELS_VECTOR_MATH_INL_H
#else
#define WEFT_CORE_KERNELS_VECTOR_MATH_INL_H
#endif

#include <cstdint>
#include <limits>

#include "core/kernels/fused-inl.h"
#include "core/math.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// c0 + c1 x + c2 x^2 + ...
template <class D, class V>
HWY_INLINE V Polynomial(D d, V, float c0) {
  return hn::Set(d, c0);
}
template <class D, class V, class... Rest>
HWY_INLINE V Polynomial(D d, V x, float c0, Rest... rest) {
  return FusedMulAdd(Polynomial(d, x, rest...), x, hn::Set(d, c0));
}

/// x, but `limit` above it; NaN stays.
template <class D, class V>
HWY_INLINE V AtMost(D d, V x, float limit) {
  const V most = hn::Set(d, limit);
  return hn::IfThenElse(hn::Gt(x, most), most, x);
}
template <class D, class V>
HWY_INLINE V AtLeast(D d, V x, float limit) {
  const V least = hn::Set(d, limit);
  return hn::IfThenElse(hn::Lt(x, least), least, x);
}

/// e^x = 2^n e^r with |r| <= log(2) / 2: returns e^r - 1 and sets n. |x| <= 128.
template <class D, class V>
HWY_INLINE V ExpReduced(D d, V x, hn::Vec<hn::RebindToSigned<D>>& n) {
  const V rounded = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504089f)));
  // log 2 in two parts, the first of 12 bits, so that its product with n is exact.
  V r = FusedNegMulAdd(rounded, hn::Set(d, 0.693115234375f), x);
  r = FusedNegMulAdd(rounded, hn::Set(d, 3.19461849453e-5f), r);
  n = hn::ConvertTo(hn::RebindToSigned<D>(), rounded);
  const V p = Polynomial(d, r, 0.4999999404f, 0.1666651964f, 0.04166840762f, 0.008368921466f,
                         0.001381417271f);  // (e^r - 1 - r) / r^2
  return FusedMulAdd(hn::Mul(r, r), p, r);
}

/// 2^n for -126 <= n <= 127.
template <class D, class VI>
HWY_INLINE hn::Vec<D> PowerOf2(D d, VI n) {
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(hn::RebindToSigned<D>(), 127))));
}

template <class D, class V>
HWY_INLINE V Exp(D d, V x) {
  hn::Vec<hn::RebindToSigned<D>> n;
  const V p = hn::Add(ExpReduced(d, AtLeast(d, AtMost(d, x, 89.0f), -104.5f), n), hn::Set(d, 1.0f));
  // In two steps, so that results near overflow and denormal ones come out right.
  const auto half = hn::ShiftRight<1>(n);
  return hn::Mul(hn::Mul(p, PowerOf2(d, half)),
                 PowerOf2(d, hn::Sub(n, half)));  // n made of a NaN may be anything, p is NaN then
}

/// e^x - 1, without cancellation near 0.
template <class D, class V>
HWY_INLINE V Expm1(D d, V x) {
  hn::Vec<hn::RebindToSigned<D>> n;
  const V p =
      ExpReduced(d, AtLeast(d, AtMost(d, x, 89.0f), -20.0f), n);  // from -20 down the result is -1
  // 2^n p + (2^n - 1), by halves, since 2^128 is no float.
  const V half_power = PowerOf2(d, hn::Sub(n, hn::Set(hn::RebindToSigned<D>(), 1)));
  const V half_result = FusedMulAdd(half_power, p, hn::Sub(half_power, hn::Set(d, 0.5f)));
  return hn::IfThenElse(hn::Eq(hn::ConvertTo(d, n), hn::Zero(d)), p,
                        hn::Add(half_result, half_result));
}

/// log(1 + f) + n log 2 for f in [sqrt(1/2) - 1, sqrt(2) - 1].
template <class D, class V>
HWY_INLINE V LogReduced(D d, V f, V n) {
  const V p =
      Polynomial(d, f, 0.3333331347f, -0.2500000894f, 0.2000211924f, -0.1666799635f, 0.1421955228f,
                 -0.1240558848f, 0.1188816205f, -0.1167565286f, 0.06746642292f);
  const V f2 = hn::Mul(f, f);  // log(1 + f) = f - f^2 / 2 + f^3 p; small terms first
  V small = FusedMulAdd(hn::Mul(f2, f), p, hn::Mul(n, hn::Set(d, 3.19461849453e-5f)));
  small = FusedNegMulAdd(f2, hn::Set(d, 0.5f), small);
  return FusedMulAdd(n, hn::Set(d, 0.693115234375f), hn::Add(f, small));
}

/// Natural logarithm; -infinity at 0, NaN below.
template <class D, class V>
HWY_INLINE V Log(D d, V x) {
  const hn::RebindToSigned<D> di;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto is_denormal = hn::Lt(x, hn::Set(d, std::numeric_limits<float>::min()));
  const V scaled = hn::IfThenElse(is_denormal, hn::Mul(x, hn::Set(d, 0x1p25f)), x);
  // scaled = 2^n m with m in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) makes the
  // exponent field round at that point.
  const auto bits = hn::BitCast(di, scaled);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3f3504f3)));
  const V m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent)));
  const V n =
      hn::Sub(hn::ConvertTo(d, exponent), hn::IfThenElseZero(is_denormal, hn::Set(d, 25.0f)));
  const V result = LogReduced(d, hn::Sub(m, hn::Set(d, 1.0f)), n);
  const V outside = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, -kInfinity),
                                   hn::Set(d, std::numeric_limits<float>::quiet_NaN()));
  return hn::IfThenElse(hn::Eq(x, hn::Set(d, kInfinity)), x,
                        hn::IfThenElse(hn::Gt(x, hn::Zero(d)), result, outside));
}

/// log(1 + e) for 0 <= e <= 1.
template <class D, class V>
HWY_INLINE V Log1p01(D d, V e) {
  const auto upper = hn::Gt(e, hn::Set(d, 0.41421356f));  // there 1 + e = 2 (1 + (e - 1) / 2)
  const V f = hn::IfThenElse(upper, FusedMulSub(e, hn::Set(d, 0.5f), hn::Set(d, 0.5f)), e);
  return LogReduced(d, f, hn::IfThenElseZero(upper, hn::Set(d, 1.0f)));
}

template <class D, class V>
HWY_INLINE V Tanh(D d, V x) {
  // (e^2a - 1) / (e^2a + 1) with a = |x|; from a = 10 on the quotient is 1.
  const V a = AtMost(d, hn::Abs(x), 10.0f);
  const V e = Expm1(d, hn::Add(a, a));
  return hn::CopySign(hn::Div(e, hn::Add(e, hn::Set(d, 2.0f))), x);
}

template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  // 1 / (1 + e^-x), for x < 0 as e^x / (1 + e^x): no overflow, and no cancellation.
  const V one = hn::Set(d, 1.0f), e = Exp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

/// log(1 + e^x).
template <class D, class V>
HWY_INLINE V Softplus(D d, V x) {
  return hn::Add(AtLeast(d, x, 0.0f), Log1p01(d, Exp(d, hn::Neg(hn::Abs(x)))));
}

/// The upper tail of the normal distribution, 1 - Phi(u), for u >= 0 (NaN counts as large); `bell`
/// is set to e^(-u^2/2).
template <class D, class V>
HWY_INLINE V NormalTail(D d, V u, V& bell) {
  const V limit = hn::Set(d, 13.2f),
          one = hn::Set(d, 1.0f);  // from here on e^(-u^2/2) is denormal in f32, and taken for 0
  const auto inside = hn::Lt(u, limit);
  u = hn::IfThenElse(inside, u, limit);
  const V square = hn::Mul(u, u);
  const V rest = FusedMulSub(
      u, u, square);  // what rounding took from the square, where there is a fused multiply-add
  hn::Vec<hn::RebindToSigned<D>> n;
  const V root = hn::Add(ExpReduced(d, hn::Mul(square, hn::Set(d, -0.5f)), n), one);
  const V e = hn::IfThenElseZero(inside, hn::Mul(root, PowerOf2(d, n)));
  bell = FusedNegMulAdd(hn::Mul(rest, hn::Set(d, 0.5f)), e, e);
  // (u + 4) (1 - Phi(u)) e^(u^2/2) runs from 2 down to 1 / sqrt(2 pi); a polynomial in t = 1 - 8 /
  // (u + 4), which runs from -1 to 0.57.
  const V r = hn::Div(one, hn::Add(u, hn::Set(d, 4.0f)));
  const V t = FusedNegMulAdd(r, hn::Set(d, 8.0f), one);
  const V p = Polynomial(d, t, 0.7552851439f, -0.6078965664f, 0.3871369064f, -0.1865234375f,
                         0.0604038313f, -0.007525270805f, -0.003512556432f, 0.001569921849f,
                         0.0001793555712f, -0.0001319707226f);
  return hn::Mul(bell, hn::Mul(r, p));
}

template <class D, class V>
HWY_INLINE V Erf(D d, V x) {
  const V one = hn::Set(d, 1.0f), a = hn::Abs(x), y = hn::Mul(x, x);
  const V near =
      hn::Mul(x, Polynomial(d, y, 1.128379107f, -0.3761262596f, 0.1128358543f, -0.02685381286f,
                            0.005188327748f, -0.0008010193706f, 7.853860734e-05f));
  V bell;
  const V tail = NormalTail(d, hn::Mul(a, hn::Set(d, 1.41421356f)), bell);
  const V far = hn::CopySign(FusedNegMulAdd(tail, hn::Set(d, 2.0f), one), x);
  return hn::IfThenElse(hn::Ge(a, one), far, near);  // a NaN takes the polynomial
}

/// x Phi(x).
template <class D, class V>
HWY_INLINE V Gelu(D d, V x) {
  V bell;
  const V tail = NormalTail(d, hn::Abs(x), bell);
  const V phi = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0f), tail));
  return hn::Mul(AtLeast(d, x, -14.5f), phi);
}

/// Phi(x) + x phi(x).
template <class D, class V>
HWY_INLINE V GeluDerivative(D d, V x) {
  V bell;
  const V tail = NormalTail(d, hn::Abs(x), bell);
  const V phi = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0f), tail));
  const V near = AtLeast(d, AtMost(d, x, 14.5f), -14.5f);
  return FusedMulAdd(near, hn::Mul(bell, hn::Set(d, 0.3989422804f)), phi);
}

/// Twice the argument of the tanh in GELU's second form, 2 sqrt(2/pi) (x + 0.044715 x^3): x/2 (1 +
/// tanh z) = x sigmoid(2 z).
template <class D, class V>
HWY_INLINE V GeluTanhArgument(D d, V x) {
  return hn::Mul(
      x, FusedMulAdd(hn::Mul(x, x), hn::Set(d, 0.0713548162726f), hn::Set(d, 1.5957691216057f)));
}

template <class D, class V>
HWY_INLINE V GeluTanh(D d, V x) {
  const V least = AtLeast(d, x, -20.0f);
  return hn::Mul(least, Sigmoid(d, GeluTanhArgument(d, AtMost(d, least, 20.0f))));
}

template <class D, class V>
HWY_INLINE V GeluTanhDerivative(D d, V x) {
  const V one = hn::Set(d, 1.0f), near = AtLeast(d, AtMost(d, x, 20.0f), -20.0f);
  const V s = Sigmoid(d, GeluTanhArgument(d, near));
  const V slope = FusedMulAdd(hn::Mul(near, near), hn::Set(d, 3 * 0.0713548162726f),
                              hn::Set(d, 1.5957691216057f));
  return FusedMulAdd(hn::Mul(near, hn::Mul(s, hn::Sub(one, s))), slope, s);
}

/// x sigmoid(x).
template <class D, class V>
HWY_INLINE V Silu(D d, V x) {
  return hn::Mul(AtLeast(d, x, -200.0f), Sigmoid(d, x));
}

template <class D, class V>
HWY_INLINE V SiluDerivative(D d, V x) {
  const V one = hn::Set(d, 1.0f), s = Sigmoid(d, x),
          near = AtLeast(d, AtMost(d, x, 200.0f), -200.0f);
  return hn::Mul(s, FusedMulAdd(near, hn::Sub(one, s), one));
}

/// Largest |x| that Sin and Cos reduce by themselves; a caller takes math::sin beyond.
inline constexpr float kSinCosLimit = 8192.0f;

/// sin(x + shift * pi/2), |x| <= kSinCosLimit.
template <class D, class V>
HWY_INLINE V SinShifted(D d, V x, int shift) {
  const hn::RebindToSigned<D> di;
  const V rounded = hn::Round(hn::Mul(x, hn::Set(d, 0.636619772368f)));
  // pi/2 in parts of 10, 11, 11 and 24 bits: the first products are exact for |n| < 2^13.
  V r = FusedNegMulAdd(rounded, hn::Set(d, 0x1.92p+0f), x);
  r = FusedNegMulAdd(rounded, hn::Set(d, 0x1.fb4p-12f), r);
  r = FusedNegMulAdd(rounded, hn::Set(d, 0x1.444p-24f), r);
  r = FusedNegMulAdd(rounded, hn::Set(d, 0x1.68c234p-39f), r);
  const auto quadrant = hn::Add(hn::ConvertTo(di, rounded), hn::Set(di, shift));
  const V r2 = hn::Mul(r, r);
  const V sine = FusedMulAdd(
      hn::Mul(r2, r), Polynomial(d, r2, -0.1666665524f, 0.008332155645f, -0.0001951462909f), r);
  const V cosine = FusedMulAdd(
      hn::Mul(r2, r2), Polynomial(d, r2, 0.04166664556f, -0.001388730947f, 2.443241283e-05f),
      FusedNegMulAdd(r2, hn::Set(d, 0.5f), hn::Set(d, 1.0f)));
  const auto is_odd = hn::Ne(hn::ConvertTo(d, hn::And(quadrant, hn::Set(di, 1))), hn::Zero(d));
  const V sign = hn::BitCast(d, hn::ShiftLeft<30>(hn::And(quadrant, hn::Set(di, 2))));
  return hn::Xor(hn::IfThenElse(is_odd, cosine, sine), sign);
}
template <class D, class V>
HWY_INLINE V Sin(D d, V x) {
  return SinShifted(d, x, 0);
}
template <class D, class V>
HWY_INLINE V Cos(D d, V x) {
  return SinShifted(d, x, 1);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
