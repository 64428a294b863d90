#include "core/kernels/unary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/unary.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/bf16_cells.h"
#include "core/kernels/simd-inl.h"
#include "core/kernels/vector_math-inl.h"
#include "core/parallel.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

/// Sine or cosine of one block; the few blocks with an argument beyond the vector reduction go to
/// the standard library.
template <class F>
HWY_INLINE void map_angle(const float* x, float* out, std::int64_t n, F&& f, float (*slow)(float)) {
  const FloatTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < n; i += lanes) {
    const bool whole = i + lanes <= n;
    const FloatVec v = whole ? hn::LoadU(d, x + i) : load_partial(d, x + i, n - i);
    const FloatVec y = f(v);
    if (!hn::AllTrue(d, hn::Le(hn::Abs(v), hn::Set(d, kSinCosLimit)))) {
      for (std::int64_t j = i; j < n && j < i + lanes; ++j) out[j] = slow(x[j]);
    } else if (whole) {
      hn::StoreU(y, d, out + i);
    } else {
      store_partial(d, y, out + i, n - i);
    }
  }
}

void UnaryRun(Unary op, const float* x, float* out, std::int64_t n, float (*slow_sin)(float),
              float (*slow_cos)(float)) {
  const FloatTag d;
  using V = FloatVec;
  switch (op) {
    case Unary::neg:
      return map(x, out, n, [](V v) { return hn::Neg(v); });
    case Unary::exp:
      return map_long(x, out, n, [d](V v) { return Exp(d, v); });
    case Unary::log:
      return map_long(x, out, n, [d](V v) { return Log(d, v); });
    case Unary::sqrt:
      return map(x, out, n, [](V v) { return hn::Sqrt(v); });
    case Unary::rsqrt:
      return map(x, out, n, [d](V v) { return hn::Div(hn::Set(d, 1.0f), hn::Sqrt(v)); });
    case Unary::abs:
      return map(x, out, n, [](V v) { return hn::Abs(v); });
    case Unary::sign:
      return map(x, out, n, [d](V v) {
        return hn::IfThenElse(hn::Gt(hn::Abs(v), hn::Zero(d)), hn::CopySign(hn::Set(d, 1.0f), v),
                              v);
      });
    case Unary::sin:
      return map_angle(
          x, out, n, [d](V v) { return Sin(d, v); }, slow_sin);
    case Unary::cos:
      return map_angle(
          x, out, n, [d](V v) { return Cos(d, v); }, slow_cos);
    case Unary::tanh:
      return map_long(x, out, n, [d](V v) { return Tanh(d, v); });
    case Unary::sigmoid:
      return map_long(x, out, n, [d](V v) { return Sigmoid(d, v); });
    case Unary::relu:
      return map(x, out, n, [d](V v) { return AtLeast(d, v, 0.0f); });
    case Unary::square:
      return map(x, out, n, [](V v) { return hn::Mul(v, v); });
    case Unary::erf:
      return map_long(x, out, n, [d](V v) { return Erf(d, v); });
    case Unary::gelu_erf:
      return map_long(x, out, n, [d](V v) { return Gelu(d, v); });
    case Unary::gelu_tanh:
      return map_long(x, out, n, [d](V v) { return GeluTanh(d, v); });
    case Unary::silu:
      return map_long(x, out, n, [d](V v) { return Silu(d, v); });
    case Unary::softplus:
      return map_long(x, out, n, [d](V v) { return Softplus(d, v); });
  }
}

void UnaryBackwardRun(Unary op, const float* x, const float* g, float* dx, std::int64_t n) {
  const FloatTag d;
  using V = FloatVec;
  switch (op) {
    case Unary::relu:
      return map(x, g, dx, n,
                 [d](V y, V w) { return hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), w); });
    case Unary::tanh:
      return map(x, g, dx, n, [](V y, V w) { return FusedNegMulAdd(hn::Mul(y, y), w, w); });
    case Unary::sigmoid:
      return map(x, g, dx, n, [](V y, V w) { return hn::Mul(w, FusedNegMulAdd(y, y, y)); });
    case Unary::gelu_erf:
      return map_long(x, g, dx, n, [d](V v, V w) { return hn::Mul(w, GeluDerivative(d, v)); });
    case Unary::gelu_tanh:
      return map_long(x, g, dx, n, [d](V v, V w) { return hn::Mul(w, GeluTanhDerivative(d, v)); });
    case Unary::silu:
      return map_long(x, g, dx, n, [d](V v, V w) { return hn::Mul(w, SiluDerivative(d, v)); });
    case Unary::softplus:
      return map_long(x, g, dx, n, [d](V v, V w) { return hn::Mul(w, Sigmoid(d, v)); });
    default:
      return;
  }
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(UnaryRun);
HWY_EXPORT(UnaryBackwardRun);

constexpr std::int64_t kGrain = 16384;

// sqrt(2/pi) and the cubic term of the tanh form of GELU.
constexpr double kGeluScale = 0.79788456080286535588, kGeluCubic = 0.044715;

double sigmoid(double x) { return 1 / (1 + math::exp(-x)); }
double normal_cdf(double x) { return 0.5 * math::erfc(-x * (1 / std::numbers::sqrt2)); }
double normal_density(double x) {
  return math::exp(-0.5 * x * x) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
}

double value(Unary op, double x) {
  switch (op) {
    case Unary::neg:
      return -x;
    case Unary::exp:
      return math::exp(x);
    case Unary::log:
      return math::log(x);
    case Unary::sqrt:
      return std::sqrt(x);
    case Unary::rsqrt:
      return 1 / std::sqrt(x);
    case Unary::abs:
      return std::abs(x);
    case Unary::sign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case Unary::sin:
      return math::sin(x);
    case Unary::cos:
      return math::cos(x);
    case Unary::tanh:
      return math::tanh(x);
    case Unary::sigmoid:
      return sigmoid(x);
    case Unary::relu:
      return x > 0 || x != x ? x : 0;
    case Unary::square:
      return x * x;
    case Unary::erf:
      return math::erf(x);
    // Below -40 both factors' product is 0; -infinity * 0 must not be NaN.
    case Unary::gelu_erf:
      return x < -40 ? -0.0 : x * normal_cdf(x);
    case Unary::gelu_tanh:
      return x < -40 ? -0.0 : 0.5 * x * (1 + math::tanh(kGeluScale * (x + kGeluCubic * x * x * x)));
    case Unary::silu:
      return x < -800 ? -0.0 : x * sigmoid(x);
    case Unary::softplus:
      return std::max(x, 0.0) + math::log1p(math::exp(-std::abs(x)));
  }
  return x;
}

double derivative(Unary op, double x) {
  switch (op) {
    case Unary::relu:
      return x > 0 ? 1 : 0;
    case Unary::tanh:
      return 1 - x * x;
    case Unary::sigmoid:
      return x * (1 - x);
    case Unary::softplus:
      return sigmoid(x);
    case Unary::gelu_erf:
      return std::abs(x) > 40 ? (x > 0) : normal_cdf(x) + x * normal_density(x);
    case Unary::gelu_tanh: {
      if (std::abs(x) > 40) return x > 0;
      const double t = math::tanh(kGeluScale * (x + kGeluCubic * x * x * x));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * kGeluScale * (1 + 3 * kGeluCubic * x * x);
    }
    case Unary::silu: {
      if (std::abs(x) > 800) return x > 0;
      const double s = sigmoid(x);
      return s * (1 + x * (1 - s));
    }
    default:
      return 0;
  }
}

void unary_of(Unary op, const float* x, float* out, std::int64_t n) {
  const auto run = HWY_DYNAMIC_DISPATCH(UnaryRun);
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    run(
        op, x + begin, out + begin, end - begin,
        [](float v) { return static_cast<float>(math::sin(v)); },
        [](float v) { return static_cast<float>(math::cos(v)); });
  });
}

void unary_of(Unary op, const double* x, double* out, std::int64_t n) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = value(op, x[i]);
  });
}

void unary_backward_of(Unary op, const float* x, const float* g, float* dx, std::int64_t n) {
  const auto run = HWY_DYNAMIC_DISPATCH(UnaryBackwardRun);
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    run(op, x + begin, g + begin, dx + begin, end - begin);
  });
}

void unary_backward_of(Unary op, const double* x, const double* g, double* dx, std::int64_t n) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dx[i] = g[i] * derivative(op, x[i]);
  });
}

}  // namespace

template <class T>
void unary(Unary op, const T* x, T* out, std::int64_t n) {
  unary_of(op, x, out, n);
}
template <class T>
void unary_backward(Unary op, const T* x, const T* g, T* dx, std::int64_t n) {
  unary_backward_of(op, x, g, dx, n);
}

void unary_backward(Unary op, const BFloat16* x, const float* g, float* dx, std::int64_t n) {
  constexpr std::int64_t kAtOnce = 1024;
  const auto run = HWY_DYNAMIC_DISPATCH(UnaryBackwardRun);
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    float wide[kAtOnce];
    for (std::int64_t i = begin; i < end; i += kAtOnce) {
      const std::int64_t count = std::min(kAtOnce, end - i);
      copy_bf16_row(x + i, count, wide);
      run(op, wide, g + i, dx + i, count);
    }
  });
}

template void unary(Unary, const float*, float*, std::int64_t);
template void unary(Unary, const double*, double*, std::int64_t);
template void unary_backward(Unary, const float*, const float*, float*, std::int64_t);
template void unary_backward(Unary, const double*, const double*, double*, std::int64_t);

}  // namespace weft::kernels
#endif
