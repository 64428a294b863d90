#include "core/kernels/unary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/parallel.h"

namespace weft::kernels {
namespace {

constexpr std::int64_t kGrain = 16384;

// sqrt(2/pi) and the cubic term of the tanh form of GELU.
constexpr double kGeluScale = 0.79788456080286535588, kGeluCubic = 0.044715;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double normal_cdf(double x) { return 0.5 * std::erfc(-x * (1 / std::numbers::sqrt2)); }
double normal_density(double x) { return std::exp(-0.5 * x * x) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2); }

double value(Unary op, double x) {
  switch (op) {
    case Unary::neg: return -x;
    case Unary::exp: return std::exp(x);
    case Unary::log: return std::log(x);
    case Unary::sqrt: return std::sqrt(x);
    case Unary::rsqrt: return 1 / std::sqrt(x);
    case Unary::abs: return std::abs(x);
    case Unary::sign: return x > 0 ? 1 : x < 0 ? -1 : x;
    case Unary::sin: return std::sin(x);
    case Unary::cos: return std::cos(x);
    case Unary::tanh: return std::tanh(x);
    case Unary::sigmoid: return sigmoid(x);
    case Unary::relu: return x > 0 || x != x ? x : 0;
    case Unary::square: return x * x;
    case Unary::erf: return std::erf(x);
    // Below -40 both factors' product is 0; -infinity * 0 must not be NaN.
    case Unary::gelu_erf: return x < -40 ? -0.0 : x * normal_cdf(x);
    case Unary::gelu_tanh: return x < -40 ? -0.0 : 0.5 * x * (1 + std::tanh(kGeluScale * (x + kGeluCubic * x * x * x)));
    case Unary::silu: return x < -800 ? -0.0 : x * sigmoid(x);
    case Unary::softplus: return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  }
  return x;
}

double derivative(Unary op, double x) {
  switch (op) {
    case Unary::relu: return x > 0 ? 1 : 0;
    case Unary::tanh: return 1 - x * x;
    case Unary::sigmoid: return x * (1 - x);
    case Unary::softplus: return sigmoid(x);
    case Unary::gelu_erf: return std::abs(x) > 40 ? (x > 0) : normal_cdf(x) + x * normal_density(x);
    case Unary::gelu_tanh: {
      if (std::abs(x) > 40) return x > 0;
      const double t = std::tanh(kGeluScale * (x + kGeluCubic * x * x * x));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * kGeluScale * (1 + 3 * kGeluCubic * x * x);
    }
    case Unary::silu: {
      if (std::abs(x) > 800) return x > 0;
      const double s = sigmoid(x);
      return s * (1 + x * (1 - s));
    }
    default: return 0;
  }
}

}  // namespace

void unary(Unary op, const float* x, float* out, std::int64_t n) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(value(op, static_cast<double>(x[i])));
  });
}

void unary(Unary op, const double* x, double* out, std::int64_t n) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = value(op, x[i]);
  });
}

void unary_backward(Unary op, const float* x, const float* g, float* dx, std::int64_t n) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dx[i] = g[i] * static_cast<float>(derivative(op, static_cast<double>(x[i])));
  });
}

void unary_backward(Unary op, const double* x, const double* g, double* dx, std::int64_t n) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dx[i] = g[i] * derivative(op, x[i]);
  });
}

}  // namespace weft::kernels
