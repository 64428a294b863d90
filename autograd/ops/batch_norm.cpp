#include "autograd/ops/batch_norm.h"

#include <cmath>
#include <utility>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "core/kernels/batch_norm.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::Planes;

constexpr const char* kBatchNorm = "batch_norm";

void check_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const BatchNormOptions& o) {
  if (x.rank() < 2)
    fail<ShapeError>(kBatchNorm, "x must be (batch, channels, ...): x {}", x.shape().str());
  if (!is_float(x.dtype()))
    fail<DTypeError>(kBatchNorm, "expects f32 or f64, got {}", name(x.dtype()));
  if (!(o.eps > 0)) fail<ConfigError>(kBatchNorm, "eps must be above 0, got {}", o.eps);
  if (!(o.momentum >= 0 && o.momentum <= 1))
    fail<ConfigError>(kBatchNorm, "momentum must be in [0, 1], got {}", o.momentum);
  const std::int64_t channels = x.size(1);
  for (const auto& [t, what] :
       {std::pair{&weight, "weight"}, std::pair{&bias, "bias"},
        std::pair{&o.running_mean, "running_mean"}, std::pair{&o.running_var, "running_var"}}) {
    if (!t->defined()) continue;
    if (t->shape() != Shape{channels})
      fail<ShapeError>(kBatchNorm, "{} must be ({},): x {}, {} {}", what, channels, x.shape().str(),
                       what, t->shape().str());
    if (t->dtype() != x.dtype())
      fail<DTypeError>(kBatchNorm, "operands of different dtypes: x {}, {} {}; cast one",
                       name(x.dtype()), what, name(t->dtype()));
  }
  if (!o.training && !(o.running_mean.defined() && o.running_var.defined()))
    fail<ConfigError>(kBatchNorm, "without training it needs running_mean and running_var");
  if (o.training && channels > 0 && x.numel() / channels < 2)
    fail<ShapeError>(kBatchNorm, "training needs at least two values of each channel: x {}",
                     x.shape().str());
}

[[noreturn]] void fail_running(const char* what, std::int64_t channel, double value, DType dtype) {
  fail<NumericError>(kBatchNorm,
                     "{} of channel {} would be {:.6g}, more than {} holds; scale x down", what,
                     channel, value, name(dtype));
}

Planes planes_of(const Tensor& x) {
  std::int64_t pixels = 1;
  for (int i = 2; i < x.rank(); ++i) pixels *= x.shape()[i];
  return {.batch = x.size(0), .channels = x.size(1), .pixels = pixels};
}

/// running = (1 - momentum) running + momentum value. Throws NumericError where that is finite but
/// the dtype does not hold it.
template <class T>
void update_running(const char* what, const Tensor& running, const Tensor& value, double momentum,
                    double factor) {
  if (!running.defined()) return;
  const Tensor now = raw::clone(running);
  for (std::int64_t c = 0; c < now.numel(); ++c) {
    T& at = now.data<T>()[c];
    const double moved = (1 - momentum) * static_cast<double>(at) +
                         momentum * factor * static_cast<double>(value.data<T>()[c]);
    at = static_cast<T>(moved);
    if (std::isfinite(moved) && !std::isfinite(at)) fail_running(what, c, moved, running.dtype());
  }
  running.copy_from(now);
}

/// Whether x's own dtype holds the statistics of its channels well enough: a mean far from 0, in
/// terms of the deviation, is rounded.
template <class T>
bool can_trust(const Tensor& mean, const Tensor& variance, double eps) {
  constexpr double kLargestMean = 512;
  for (std::int64_t c = 0; c < mean.numel(); ++c) {
    const double center = static_cast<double>(mean.data<T>()[c]),
                 spread = static_cast<double>(variance.data<T>()[c]) + eps;
    if (variance.data<T>()[c] == 0) continue;  // every element is the mean, exactly
    if (!(std::isfinite(spread) && std::abs(center) <= kLargestMean * std::sqrt(spread)))
      return false;
  }
  return true;
}

/// In f64, where x's squares and means fit, and back.
Tensor wide_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const BatchNormOptions& o) {
  const auto wide = [](const Tensor& t) { return t.defined() ? cast(t, DType::f64) : t; };
  BatchNormOptions in_f64 = o;
  in_f64.running_mean = wide(o.running_mean);
  in_f64.running_var = wide(o.running_var);
  const Tensor out = batch_norm(wide(x), wide(weight), wide(bias), in_f64);
  const auto check = [&](const char* what, const Tensor& moved) {
    for (std::int64_t c = 0; moved.defined() && c < moved.numel(); ++c) {
      const double value = moved.data<double>()[c];
      if (std::isfinite(value) && !std::isfinite(static_cast<float>(value)))
        fail_running(what, c, value, x.dtype());
    }
  };
  check("running_mean", in_f64.running_mean);
  check("running_var", in_f64.running_var);
  if (o.running_mean.defined()) o.running_mean.copy_from(in_f64.running_mean);
  if (o.running_var.defined()) o.running_var.copy_from(in_f64.running_var);
  return cast(out, x.dtype());
}

/// Row-major operands and statistics that backward needs.
struct SavedBatchNorm {
  Planes planes;
  Tensor x, weight, mean, rstd;
  bool training = true, need_x = false, need_weight = false, need_bias = false;
};

template <class T>
Gradients batch_norm_backward(const SavedBatchNorm& s, const Tensor& grad) {
  const Tensor g = raw::contiguous(grad);
  const std::int64_t channels = s.planes.channels;
  const double count = static_cast<double>(s.planes.batch * s.planes.pixels);
  const Tensor sum_g = Tensor::empty({channels}, g.dtype()),
               sum_gx = Tensor::empty({channels}, g.dtype());
  if (!shape_only())
    kernels::batch_norm_sums(s.planes, s.x.data<T>(), g.data<T>(), s.mean.data<T>(),
                             sum_g.data<T>(), sum_gx.data<T>());
  Gradients gradients(3);
  if (s.need_x) {
    // With h = (x - mean) rstd: dx = w rstd (g - mean(g) - h mean(g h)) = of_g g + of_x (x - mean)
    // + shift.
    const Tensor of_g = Tensor::empty({channels}, g.dtype()),
                 of_x = Tensor::empty({channels}, g.dtype()),
                 shift = Tensor::empty({channels}, g.dtype());
    gradients[0] = Tensor::empty(g.shape(), g.dtype());
    for (std::int64_t c = 0; c < channels && !shape_only(); ++c) {
      const double r = static_cast<double>(s.rstd.data<T>()[c]),
                   scale =
                       r * (s.weight.defined() ? static_cast<double>(s.weight.data<T>()[c]) : 1.0);
      const double slope =
          s.training ? -scale * r * r * static_cast<double>(sum_gx.data<T>()[c]) / count : 0.0;
      const double center =
          s.training ? -scale * static_cast<double>(sum_g.data<T>()[c]) / count : 0.0;
      of_g.data<T>()[c] = static_cast<T>(scale);
      of_x.data<T>()[c] = static_cast<T>(slope);
      shift.data<T>()[c] = static_cast<T>(center);
    }
    if (!shape_only())
      kernels::batch_norm_gradient(s.planes, s.x.data<T>(), g.data<T>(), s.mean.data<T>(),
                                   of_g.data<T>(), of_x.data<T>(), shift.data<T>(),
                                   gradients[0].data<T>());
  }
  if (s.need_weight) {
    if (!shape_only())
      for (std::int64_t c = 0; c < channels; ++c) sum_gx.data<T>()[c] *= s.rstd.data<T>()[c];
    gradients[1] = sum_gx;
  }
  if (s.need_bias) gradients[2] = sum_g;
  return gradients;
}

Tensor batch_norm_definition(const Tensor& x, const Tensor& weight, const Tensor& bias,
                             bool training, const Tensor& running_mean, const Tensor& running_var,
                             double eps) {
  Dims others{0};
  Shape column{x.size(1)};
  for (int i = 2; i < x.rank(); ++i) {
    others.push_back(i);
    column.push_back(1);
  }
  const Tensor center = training ? mean(x, others, true) : raw::reshape(running_mean, column);
  const Tensor centered = sub(x, center);
  const Tensor variance =
      training ? mean(square(centered), others, true) : raw::reshape(running_var, column);
  Tensor y = mul(centered, rsqrt(add(variance, eps)));
  if (weight.defined()) y = mul(y, reshape(weight, column));
  return bias.defined() ? add(y, reshape(bias, column)) : y;
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const BatchNormOptions& o) {
  check_batch_norm(x, weight, bias, o);
  const auto row_major = [](const Tensor& t) { return t.defined() ? raw::contiguous(t) : t; };
  const Planes planes = planes_of(x);
  const std::int64_t channels = planes.channels, count = planes.batch * planes.pixels;
  SavedBatchNorm saved{.planes = planes,
                       .x = raw::contiguous(x),
                       .weight = row_major(weight),
                       .mean = {},
                       .rstd = {},
                       .training = o.training,
                       .need_x = wants_grad(x),
                       .need_weight = wants_grad(weight),
                       .need_bias = wants_grad(bias)};
  const Tensor offset = row_major(bias), out = Tensor::empty(x.shape(), x.dtype()),
               scale = Tensor::empty({channels}, x.dtype()),
               shift = Tensor::empty({channels}, x.dtype());
  saved.rstd = Tensor::empty({channels}, x.dtype());
  bool needs_f64 = false;
  // What the definition of an evaluation needs; the module's own move on.
  const Tensor before_mean = o.training ? Tensor() : raw::clone(o.running_mean),
               before_var = o.training ? Tensor() : raw::clone(o.running_var);
  saved.mean = o.training ? Tensor::empty({channels}, x.dtype()) : before_mean;
  const Tensor variance = o.training ? Tensor::empty({channels}, x.dtype()) : before_var;
  compute_float(x.dtype(), kBatchNorm, [&](auto zero) {
    using T = decltype(zero);
    if (o.training) {
      kernels::batch_norm_statistics(planes, saved.x.data<T>(), saved.mean.data<T>(),
                                     variance.data<T>());
      needs_f64 = x.dtype() == DType::f32 && !can_trust<T>(saved.mean, variance, o.eps);
      if (needs_f64) return;
      update_running<T>("running_mean", o.running_mean, saved.mean, o.momentum, 1);
      update_running<T>("running_var", o.running_var, variance, o.momentum,
                        static_cast<double>(count) / static_cast<double>(count - 1));
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      const double r = 1.0 / std::sqrt(static_cast<double>(variance.data<T>()[c]) + o.eps);
      const double factor =
          r * (saved.weight.defined() ? static_cast<double>(saved.weight.data<T>()[c]) : 1.0);
      saved.rstd.data<T>()[c] = static_cast<T>(r);
      scale.data<T>()[c] = static_cast<T>(factor);
      shift.data<T>()[c] = offset.defined() ? offset.data<T>()[c] : T(0);
    }
    kernels::batch_norm_apply(planes, saved.x.data<T>(), saved.mean.data<T>(), scale.data<T>(),
                              shift.data<T>(), out.data<T>());
  });
  if (needs_f64) return wide_batch_norm(x, weight, bias, o);

  std::vector<Tensor> inputs{x};
  const bool has_weight = weight.defined(), has_bias = bias.defined();
  if (has_weight) inputs.push_back(weight);
  if (has_bias) inputs.push_back(bias);
  return record_fused(
      kBatchNorm, out, std::move(inputs),
      [=](const Tensor& g) {
        Gradients all = dispatch_float(g.dtype(), kBatchNorm, [&](auto zero) {
          return batch_norm_backward<decltype(zero)>(saved, g);
        });
        Gradients gradients{all[0]};
        if (has_weight) gradients.push_back(all[1]);
        if (has_bias) gradients.push_back(all[2]);
        return gradients;
      },
      [=, training = o.training, eps = o.eps] {
        return batch_norm_definition(x, weight, bias, training, before_mean, before_var, eps);
      },
      {&saved.x, &saved.weight});
}

}  // namespace weft
