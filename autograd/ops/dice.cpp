#include "autograd/ops/dice.h"

#include <cmath>
#include <utility>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "core/kernels/dice.h"
#include "core/shape_only.h"

namespace weft {
namespace {

void check_dice(const Tensor& x, const Tensor& alpha, const DiceOptions& o) {
  if (x.rank() != 2) fail<ShapeError>("dice", "x must be (N, channels): x {}", x.shape().str());
  if (!is_float(x.dtype())) fail<DTypeError>("dice", "expects f32 or f64, got {}", name(x.dtype()));
  if (!(o.eps > 0)) fail<ConfigError>("dice", "eps must be above 0, got {}", o.eps);
  if (!(o.momentum >= 0 && o.momentum <= 1))
    fail<ConfigError>("dice", "momentum must be in [0, 1], got {}", o.momentum);
  const std::int64_t channels = x.size(1);
  for (const auto& [t, what] :
       {std::pair{&alpha, "alpha"}, std::pair{&o.running_mean, "running_mean"},
        std::pair{&o.running_var, "running_var"}}) {
    if (!t->defined() && t != &alpha) continue;
    if (t->shape() != Shape{channels})
      fail<ShapeError>("dice", "{} must be ({},): x {}, {} {}", what, channels, x.shape().str(),
                       what, t->shape().str());
    if (t->dtype() != x.dtype())
      fail<DTypeError>("dice", "operands of different dtypes: x {}, {} {}; cast one",
                       name(x.dtype()), what, name(t->dtype()));
  }
  if (!o.training && !(o.running_mean.defined() && o.running_var.defined()))
    fail<ConfigError>("dice", "without training it needs running_mean and running_var");
  if (o.training && x.size(0) < 1)
    fail<ShapeError>("dice", "a training batch needs at least one row: got {}", x.shape().str());
}

template <class T>
void move_dice(const Tensor& running, const Tensor& value, double momentum) {
  if (!running.defined()) return;
  const Tensor now = raw::clone(running);
  for (std::int64_t c = 0; c < now.numel(); ++c) {
    T& at = now.data<T>()[c];
    at = static_cast<T>((1 - momentum) * static_cast<double>(at) +
                        momentum * static_cast<double>(value.data<T>()[c]));
  }
  running.copy_from(now);
}

/// Row-major operands and statistics that backward needs.
struct SavedDice {
  Tensor x, alpha, mean, rstd;
  bool training = true, need_x = false;

  template <class T>
  kernels::DiceColumns<T> columns() const {
    return {mean.data<T>(), rstd.data<T>(), alpha.data<T>()};
  }
};

template <class T>
Gradients dice_backward(const SavedDice& s, const Tensor& grad) {
  const Tensor g = raw::contiguous(grad);
  const std::int64_t rows = g.size(0), channels = g.size(1);
  const Tensor mean_q = Tensor::empty({channels}, g.dtype()),
               mean_qh = Tensor::empty({channels}, g.dtype()),
               grad_alpha = Tensor::empty({channels}, g.dtype());
  if (!shape_only())
    kernels::dice_sums(rows, channels, s.x.data<T>(), g.data<T>(), s.columns<T>(), mean_q.data<T>(),
                       mean_qh.data<T>(), grad_alpha.data<T>());
  if (!s.need_x) return {Tensor(), grad_alpha};
  // As in a batch norm: what q says of the batch's mean and spread is taken off. Running statistics
  // are constants.
  const Tensor dx = Tensor::empty(g.shape(), g.dtype());
  if (shape_only()) return {dx, grad_alpha};
  for (std::int64_t c = 0; c < channels; ++c)
    for (const Tensor* sums : {&mean_q, &mean_qh})
      sums->data<T>()[c] = s.training ? sums->data<T>()[c] / static_cast<T>(rows) : T{0};
  kernels::dice_gradient(rows, channels, s.x.data<T>(), g.data<T>(), s.columns<T>(),
                         mean_q.data<T>(), mean_qh.data<T>(), dx.data<T>());
  return {dx, grad_alpha};
}

/// Whether f32 holds the columns' statistics well enough: a mean far from 0, in terms of the
/// deviation, is rounded.
bool can_trust_columns(const Tensor& mean, const Tensor& variance, double eps) {
  constexpr double kLargestMean = 512;
  const std::vector<double> center = mean.to_vector<double>(),
                            spread = variance.to_vector<double>();
  for (std::size_t c = 0; c < center.size(); ++c)
    // (Where it is 0 every element is the mean, exactly.)
    if (spread[c] != 0 && !(std::isfinite(spread[c]) &&
                            std::abs(center[c]) <= kLargestMean * std::sqrt(spread[c] + eps)))
      return false;
  return true;
}

/// In f64, where x's squares and means fit, and back. Throws NumericError for statistics that f32
/// does not hold.
Tensor wide_dice(const Tensor& x, const Tensor& alpha, const DiceOptions& o) {
  DiceOptions in_f64 = o;
  for (Tensor* running : {&in_f64.running_mean, &in_f64.running_var})
    if (running->defined()) *running = raw::cast(*running, DType::f64);
  const Tensor out = dice(cast(x, DType::f64), cast(alpha, DType::f64), in_f64);
  for (const auto& [running, moved] : {std::pair{o.running_mean, in_f64.running_mean},
                                       std::pair{o.running_var, in_f64.running_var}}) {
    if (!running.defined()) continue;
    const Tensor narrow = raw::cast(moved, x.dtype());
    if (raw::find_nonfinite(moved) < 0 && raw::find_nonfinite(narrow) >= 0)
      fail<NumericError>("dice",
                         "the running statistics would be more than {} holds: {}; scale x down",
                         name(x.dtype()), to_string(moved));
    running.copy_from(narrow);
  }
  return cast(out, x.dtype());
}

Tensor dice_definition(const Tensor& x, const Tensor& alpha, bool training,
                       const Tensor& running_mean, const Tensor& running_var, double eps) {
  const Tensor center = training ? mean(x, {0}, true) : running_mean,
               spread = training ? var(x, {0}, 0, true) : running_var;
  const Tensor gate = sigmoid(mul(sub(x, center), rsqrt(add(spread, eps))));
  return mul(x, add(alpha, mul(gate, 1.0 - alpha)));
}

}  // namespace

Tensor dice(const Tensor& x, const Tensor& alpha, const DiceOptions& o) {
  check_dice(x, alpha, o);
  const std::int64_t rows = x.size(0), channels = x.size(1);
  SavedDice saved{.x = raw::contiguous(x),
                  .alpha = raw::contiguous(alpha),
                  .mean = {},
                  .rstd = Tensor::empty({channels}, x.dtype()),
                  .training = o.training,
                  .need_x = wants_grad(x)};
  const Tensor out = Tensor::empty(x.shape(), x.dtype());
  bool needs_f64 = false;
  // What the definition of an evaluation needs; the module's own move on.
  const Tensor before_mean = o.training ? Tensor() : raw::clone(o.running_mean),
               before_var = o.training ? Tensor() : raw::clone(o.running_var);
  saved.mean = o.training ? Tensor::empty({channels}, x.dtype()) : before_mean;
  const Tensor variance = o.training ? Tensor::empty({channels}, x.dtype()) : before_var;
  compute_float(x.dtype(), "dice", [&](auto zero) {
    using T = decltype(zero);
    if (o.training) {
      kernels::column_statistics(rows, channels, saved.x.data<T>(), saved.mean.data<T>(),
                                 variance.data<T>());
      needs_f64 = x.dtype() == DType::f32 && !can_trust_columns(saved.mean, variance, o.eps);
      if (needs_f64) return;
      move_dice<T>(o.running_mean, saved.mean, o.momentum);
      move_dice<T>(o.running_var, variance, o.momentum);
    }
    for (std::int64_t c = 0; c < channels; ++c)
      saved.rstd.data<T>()[c] =
          static_cast<T>(1.0 / std::sqrt(static_cast<double>(variance.data<T>()[c]) + o.eps));
    kernels::dice(rows, channels, saved.x.data<T>(), saved.columns<T>(), out.data<T>());
  });
  if (needs_f64) return wide_dice(x, alpha, o);
  return record_fused(
      "dice", out, {x, alpha},
      [saved](const Tensor& g) {
        return dispatch_float(g.dtype(), "dice",
                              [&](auto zero) { return dice_backward<decltype(zero)>(saved, g); });
      },
      [=, training = o.training, eps = o.eps] {
        return dice_definition(x, alpha, training, before_mean, before_var, eps);
      },
      {&saved.x, &saved.alpha});
}

}  // namespace weft
