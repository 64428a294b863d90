#include "core/kernels/optimizer.h"

#include <cmath>
#include <vector>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/optimizer.cpp"
#include "core/kernels/simd.h"
#include "core/shape_only.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/fused-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// p[i] for i < n, all state in one pass. The tail runs through the same vector code in a buffer,
/// so that an element's result does not depend on where its block ends.
void AdamF32(float* HWY_RESTRICT p, const float* HWY_RESTRICT g, float* HWY_RESTRICT m,
             float* HWY_RESTRICT v, std::int64_t n, const AdamStep& s) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto beta1 = hn::Set(d, static_cast<float>(s.beta1)),
             rest1 = hn::Set(d, static_cast<float>(1 - s.beta1));
  const auto beta2 = hn::Set(d, static_cast<float>(s.beta2)),
             rest2 = hn::Set(d, static_cast<float>(1 - s.beta2));
  const auto rate = hn::Set(d, static_cast<float>(s.lr / s.bias_correction1));
  const auto root = hn::Set(d, static_cast<float>(1 / std::sqrt(s.bias_correction2))),
             eps = hn::Set(d, static_cast<float>(s.eps));
  const auto keep = hn::Set(d, static_cast<float>(s.decoupled ? 1 - s.lr * s.weight_decay : 1.0));
  const auto l2 = hn::Set(d, static_cast<float>(s.decoupled ? 0.0 : s.weight_decay));
  const auto block = [&](float* HWY_RESTRICT pp, const float* HWY_RESTRICT gg,
                         float* HWY_RESTRICT mm, float* HWY_RESTRICT vv) HWY_ATTR {
    const auto x = hn::LoadU(d, pp);
    const auto grad = FusedMulAdd(l2, x, hn::LoadU(d, gg));
    const auto m1 = FusedMulAdd(beta1, hn::LoadU(d, mm), hn::Mul(rest1, grad));
    const auto v1 = FusedMulAdd(beta2, hn::LoadU(d, vv), hn::Mul(hn::Mul(rest2, grad), grad));
    hn::StoreU(m1, d, mm);
    hn::StoreU(v1, d, vv);
    const auto denominator = FusedMulAdd(hn::Sqrt(v1), root, eps);
    hn::StoreU(FusedNegMulAdd(rate, hn::Div(m1, denominator), hn::Mul(keep, x)), d, pp);
  };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) block(p + i, g + i, m + i, v + i);
  if (i == n) return;
  HWY_ALIGN float tail[4][hn::MaxLanes(d)] = {};
  for (std::int64_t j = 0; i + j < n; ++j)
    tail[0][j] = p[i + j], tail[1][j] = g[i + j], tail[2][j] = m[i + j], tail[3][j] = v[i + j];
  block(tail[0], tail[1], tail[2], tail[3]);
  for (std::int64_t j = 0; i + j < n; ++j)
    p[i + j] = tail[0][j], m[i + j] = tail[2][j], v[i + j] = tail[3][j];
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(AdamF32);

constexpr std::int64_t kGrain = 16384;

void check(const char* where, const Tensor& parameter, const Tensor& other) {
  if (other.shape() != parameter.shape() || other.dtype() != parameter.dtype())
    fail<ShapeError>(where, "parameter {} {}, gradient or state {} {}", parameter.shape().str(),
                     name(parameter.dtype()), other.shape().str(), name(other.dtype()));
}

/// Marks what is about to be written in place, element by element from the first.
void begin_write(const char* where, const Tensor& target) {
  if (!target.is_contiguous())
    fail<ShapeError>(where,
                     "expects a contiguous target, got {} with strides {}; change a contiguous "
                     "copy and copy it back",
                     target.shape().str(), target.strides().str());
  target.bump_version();
}

/// `source` row-major, and apart from the target wherever it is not the very same elements.
Tensor readable(const Tensor& source, const Tensor& target) {
  const bool same = source.raw_data() == target.raw_data() && source.is_contiguous();
  return !same && raw::overlaps(source, target) ? raw::clone(source) : raw::contiguous(source);
}

void adam_block(float* p, const float* g, float* m, float* v, std::int64_t n, const AdamStep& s) {
  HWY_DYNAMIC_DISPATCH(AdamF32)(p, g, m, v, n, s);
}

void adam_block(double* p, const double* g, double* m, double* v, std::int64_t n,
                const AdamStep& s) {
  for (std::int64_t i = 0; i < n; ++i) {
    const double grad = g[i] + (s.decoupled ? 0.0 : s.weight_decay * p[i]);
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * grad;
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * grad * grad;
    if (s.decoupled) p[i] *= 1 - s.lr * s.weight_decay;
    p[i] -= s.lr / s.bias_correction1 * m[i] /
            (std::sqrt(v[i]) / std::sqrt(s.bias_correction2) + s.eps);
  }
}

}  // namespace

void adam(const Tensor& parameter, const Tensor& gradient, const Tensor& exp_avg,
          const Tensor& exp_avg_sq, const AdamStep& step) {
  check("adam", parameter, gradient);
  for (const Tensor& t : {parameter, exp_avg, exp_avg_sq}) begin_write("adam", t);
  const Tensor g = readable(gradient, parameter);
  compute_float(parameter.dtype(), "adam", [&]<class T>(T) {
    parallel_for(parameter.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      adam_block(parameter.data<T>() + begin, g.data<T>() + begin, exp_avg.data<T>() + begin,
                 exp_avg_sq.data<T>() + begin, end - begin, step);
    });
  });
}

void sgd(const Tensor& parameter, const Tensor& gradient, const Tensor& momentum,
         const SgdStep& step) {
  check("sgd", parameter, gradient);
  begin_write("sgd", parameter);
  if (momentum.defined()) begin_write("sgd", momentum);
  const Tensor g = readable(gradient, parameter);
  compute_float(parameter.dtype(), "sgd", [&]<class T>(T) {
    const T lr = static_cast<T>(step.lr), mu = static_cast<T>(step.momentum),
            decay = static_cast<T>(step.weight_decay);
    parallel_for(parameter.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      T* const p = parameter.data<T>();
      const T* const gp = g.data<T>();
      T* const buffer = momentum.defined() ? momentum.data<T>() : nullptr;
      for (std::int64_t i = begin; i < end; ++i) {
        const T grad = gp[i] + decay * p[i];
        if (!buffer) {
          p[i] -= lr * grad;
          continue;
        }
        buffer[i] = mu * buffer[i] + grad;
        p[i] -= lr * (step.nesterov ? grad + mu * buffer[i] : buffer[i]);
      }
    });
  });
}

void lion(const Tensor& parameter, const Tensor& gradient, const Tensor& exp_avg,
          const LionStep& step) {
  check("lion", parameter, gradient);
  for (const Tensor& t : {parameter, exp_avg}) begin_write("lion", t);
  const Tensor g = readable(gradient, parameter);
  compute_float(parameter.dtype(), "lion", [&]<class T>(T) {
    const T lr = static_cast<T>(step.lr), keep = static_cast<T>(1 - step.lr * step.weight_decay);
    const T beta1 = static_cast<T>(step.beta1), beta2 = static_cast<T>(step.beta2);
    parallel_for(parameter.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      T* const p = parameter.data<T>();
      T* const m = exp_avg.data<T>();
      const T* const gp = g.data<T>();
      for (std::int64_t i = begin; i < end; ++i) {
        const T direction = beta1 * m[i] + (1 - beta1) * gp[i];
        const T sign = static_cast<T>((direction > 0) - (direction < 0));
        p[i] = keep * p[i] - lr * sign;
        m[i] = beta2 * m[i] + (1 - beta2) * gp[i];
      }
    });
  });
}

void lerp(const Tensor& target, const Tensor& source, double decay) {
  check("lerp", target, source);
  begin_write("lerp", target);
  const Tensor s = readable(source, target);
  compute_float(target.dtype(), "lerp", [&]<class T>(T) {
    parallel_for(target.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      T* const t = target.data<T>();
      const T* const sp = s.data<T>();
      for (std::int64_t i = begin; i < end; ++i)
        t[i] = static_cast<T>(decay) * t[i] + static_cast<T>(1 - decay) * sp[i];
    });
  });
}

void scale(const Tensor& target, double factor) {
  begin_write("scale", target);
  compute_float(target.dtype(), "scale", [&]<class T>(T) {
    parallel_for(target.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      T* const t = target.data<T>();
      for (std::int64_t i = begin; i < end; ++i) t[i] *= static_cast<T>(factor);
    });
  });
}

double sum_of_squares(const Tensor& t) {
  const Tensor x = raw::contiguous(t);
  if (shape_only()) return 0;
  return dispatch_float(x.dtype(), "sum_of_squares", [&]<class T>(T) {
    std::vector<double> partial(static_cast<std::size_t>(chunk_count(x.numel(), kGrain)));
    parallel_for(x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      const T* const p = x.data<T>();
      double lanes[4] = {0, 0, 0, 0};  // four sums in flight hide the latency of an addition
      for (std::int64_t i = begin; i < end; ++i)
        lanes[i & 3] += static_cast<double>(p[i]) * static_cast<double>(p[i]);
      partial[static_cast<std::size_t>(begin / kGrain)] =
          (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    });
    double total = 0;
    for (const double value : partial) total += value;
    return total;
  });
}

}  // namespace weft::kernels
#endif
