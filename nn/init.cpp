#include "nn/init.h"
#include "core/shape_only.h"

#include <cmath>
#include <vector>

#include "core/math.h"

namespace weft::nn::init {
namespace {

struct Fans {
  double in, out;
};

Fans fans(const Tensor& t) {
  if (t.rank() < 2)
    fail<ShapeError>("init", "a fan needs a weight of at least 2 dimensions, got {}",
                     t.shape().str());
  double field = 1;
  for (int i = 2; i < t.rank(); ++i) field *= static_cast<double>(t.shape()[i]);
  return {static_cast<double>(t.shape()[1]) * field, static_cast<double>(t.shape()[0]) * field};
}

/// Fills t with f(u), u uniform in [0, 1) in double, so that f32 and f64 models start from the same
/// values.
template <class F>
void fill_from_uniform(const Tensor& t, Generator& generator, F&& f) {
  const Tensor unit = Tensor::empty(t.shape(), DType::f64);
  generator.fill_uniform(unit);
  if (shape_only()) return;
  double* const values = unit.data<double>();
  for (std::int64_t i = 0; i < unit.numel(); ++i) values[i] = f(values[i]);
  t.copy_from(unit);
}

double normal_cdf(double x) { return 0.5 * math::erfc(-x / std::sqrt(2.0)); }

/// Inverse of the normal distribution function by Newton's method, kept inside a shrinking
/// interval.
double normal_quantile(double p) {
  if (p <= 0 || p >= 1) return p <= 0 ? -8 : 8;
  double low = -8, high = 8;
  double x = 0;
  for (int i = 0; i < 60; ++i) {
    const double error = normal_cdf(x) - p;
    (error > 0 ? high : low) = x;
    const double density = math::exp(-x * x / 2) / std::sqrt(2 * M_PI);
    const double newton = x - error / density;
    const double next = newton > low && newton < high ? newton : (low + high) / 2;
    if (std::abs(next - x) < 1e-14) return next;
    x = next;
  }
  return x;
}

}  // namespace

void Initializer::operator()(const Tensor& tensor) const {
  if (!fill_) fail<ConfigError>("init", "this initializer is undefined");
  fill_(tensor, random::stream("init"));
}

Initializer constant(double value) {
  return Initializer([value](const Tensor& t, Generator&) { t.fill(value); });
}
Initializer zeros() { return constant(0); }
Initializer ones() { return constant(1); }

Initializer normal(double std, double mean) {
  if (!std::isfinite(std) || std < 0 || !std::isfinite(mean))
    fail<ConfigError>("init", "normal expects a finite std >= 0 and a finite mean, got {} and {}",
                      std, mean);
  return Initializer(
      [=](const Tensor& t, Generator& generator) { generator.fill_normal(t, mean, std); });
}

Initializer uniform(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    fail<ConfigError>("init", "uniform expects finite low <= high, got {} and {}", low, high);
  return Initializer(
      [=](const Tensor& t, Generator& generator) { generator.fill_uniform(t, low, high); });
}

Initializer truncated_normal(double std, double mean, double cut) {
  if (!std::isfinite(std) || std < 0 || !(cut > 0))
    fail<ConfigError>(
        "init", "truncated_normal expects a finite std >= 0 and cut > 0, got {} and {}", std, cut);
  return Initializer([=](const Tensor& t, Generator& generator) {
    const double below = normal_cdf(-cut);
    fill_from_uniform(t, generator, [&](double u) {
      return mean + std * normal_quantile(below + u * (1 - 2 * below));
    });
  });
}

Initializer xavier_uniform(double gain) {
  return Initializer([=](const Tensor& t, Generator& generator) {
    const Fans fan = fans(t);
    const double bound = gain * std::sqrt(6 / (fan.in + fan.out));
    generator.fill_uniform(t, -bound, bound);
  });
}

Initializer xavier_normal(double gain) {
  return Initializer([=](const Tensor& t, Generator& generator) {
    const Fans fan = fans(t);
    generator.fill_normal(t, 0, gain * std::sqrt(2 / (fan.in + fan.out)));
  });
}

Initializer kaiming_uniform(double a) {
  return Initializer([=](const Tensor& t, Generator& generator) {
    const double bound = std::sqrt(6 / ((1 + a * a) * fans(t).in));
    generator.fill_uniform(t, -bound, bound);
  });
}

Initializer kaiming_normal(double a) {
  return Initializer([=](const Tensor& t, Generator& generator) {
    generator.fill_normal(t, 0, std::sqrt(2 / ((1 + a * a) * fans(t).in)));
  });
}

Initializer scaled_residual(std::int64_t n_layer, double std) {
  return normal(std / std::sqrt(2.0 * static_cast<double>(n_layer)));
}

/// Gram-Schmidt, twice over for accuracy, on the shorter side's vectors: normal vectors made
/// orthonormal are uniformly distributed.
Initializer orthogonal(double gain) {
  return Initializer([=](const Tensor& t, Generator& generator) {
    fans(t);
    const std::int64_t rows = t.shape()[0];
    const std::int64_t columns = t.numel() / std::max<std::int64_t>(rows, 1);
    const std::int64_t n = std::min(rows, columns), length = std::max(rows, columns);
    const Tensor drawn = Tensor::empty({n, length}, DType::f64);
    generator.fill_normal(drawn);
    if (shape_only()) return;
    double* const v = drawn.data<double>();
    for (std::int64_t i = 0; i < n; ++i) {
      double* const vi = v + i * length;
      for (int pass = 0; pass < 2; ++pass)
        for (std::int64_t j = 0; j < i; ++j) {
          double dot = 0;
          for (std::int64_t k = 0; k < length; ++k) dot += vi[k] * v[j * length + k];
          for (std::int64_t k = 0; k < length; ++k) vi[k] -= dot * v[j * length + k];
        }
      double norm = 0;
      for (std::int64_t k = 0; k < length; ++k) norm += vi[k] * vi[k];
      for (std::int64_t k = 0; k < length; ++k) vi[k] /= std::sqrt(norm);
    }
    for (std::int64_t k = 0; k < n * length; ++k) v[k] *= gain;
    t.copy_from(raw::reshape(rows <= columns ? drawn : raw::transpose(drawn, 0, 1), t.shape()));
  });
}

}  // namespace weft::nn::init
