#include "autograd/ops/loss.h"

#include <cmath>
#include <limits>
#include <string>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/unary.h"
#include "core/kernels/cross_entropy.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::CrossEntropyArgs;

Tensor reduce(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return mean(losses);
    case Reduction::sum:
      return sum(losses);
    default:
      return losses;
  }
}

void check_same_shape(const char* op, const Tensor& x, const Tensor& target) {
  if (x.shape() != target.shape())
    fail<ShapeError>(op, "shapes must be equal: x {}, target {}", x.shape().str(),
                     target.shape().str());
  if (x.dtype() != target.dtype())
    fail<DTypeError>(op, "operands of different dtypes: x {}, target {}; cast one", name(x.dtype()),
                     name(target.dtype()));
  if (!is_float(x.dtype())) fail<DTypeError>(op, "expects f32 or f64, got {}", name(x.dtype()));
}

void check_cross_entropy(const Tensor& logits, const Tensor& targets,
                         const CrossEntropyOptions& options) {
  constexpr const char* kOp = "cross_entropy";
  if (logits.rank() < 1)
    fail<ShapeError>(kOp, "logits must have a last dimension of classes: logits {}",
                     logits.shape().str());
  if (!is_float(logits.dtype()))
    fail<DTypeError>(kOp, "expects logits as f32 or f64, got {}", name(logits.dtype()));
  if (targets.dtype() != DType::i32 && targets.dtype() != DType::i64)
    fail<DTypeError>(kOp, "expects targets as i32 or i64, got {}", name(targets.dtype()));
  if (targets.shape() != Shape(logits.shape().begin(), logits.shape().end() - 1))
    fail<ShapeError>(
        kOp,
        "targets must have the shape of logits without its last dimension: logits {}, targets {}",
        logits.shape().str(), targets.shape().str());
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    fail<ConfigError>(kOp, "label_smoothing must be in [0, 1], got {}", options.label_smoothing);
  if (const Tensor& w = options.class_weights; w.defined()) {
    if (w.shape() != Shape{logits.size(-1)})
      fail<ShapeError>(kOp, "class_weights must be ({},), got {}", logits.size(-1),
                       w.shape().str());
    if (w.dtype() != logits.dtype())
      fail<DTypeError>(kOp, "class_weights must have the dtype of the logits, {}, got {}",
                       name(logits.dtype()), name(w.dtype()));
  }
}

/// Targets as contiguous i64, each a class or ignore_index.
Tensor checked_targets(const Tensor& targets, std::int64_t classes, std::int64_t ignore_index) {
  const Tensor ids = raw::contiguous(raw::cast(targets, DType::i64));
  if (shape_only()) return ids;
  const std::int64_t* id = ids.data<std::int64_t>();
  for (std::int64_t i = 0; i < ids.numel(); ++i)
    if (id[i] != ignore_index && (id[i] < 0 || id[i] >= classes))
      fail<IndexError>(
          "cross_entropy",
          "target {} at position {} is not a class: there are {} classes, and ignore_index is {}",
          id[i], i, classes, ignore_index);
  return ids;
}

/// Kept for backward: no probability, one number a row.
struct SavedLoss {
  Tensor logits, ids, weights, lse;
  double smoothing = 0, weight_sum = 0;
  std::int64_t ignore_index = 0;

  template <class T>
  CrossEntropyArgs<T> args() const {
    return {ids.numel(),
            logits.size(-1),
            logits.data<T>(),
            ids.data<std::int64_t>(),
            weights.defined() ? weights.data<T>() : nullptr,
            static_cast<T>(weight_sum),
            static_cast<T>(smoothing),
            ignore_index};
  }
};

/// What the mean divides by: the weights of the targets that count.
double mean_divisor(const Tensor& ids, const Tensor& weights, std::int64_t ignore_index) {
  if (shape_only()) return static_cast<double>(ids.numel());
  const std::vector<double> weight =
      weights.defined() ? weights.to_vector<double>() : std::vector<double>();
  double total = 0;
  for (std::int64_t i = 0; i < ids.numel(); ++i) {
    const std::int64_t id = ids.data<std::int64_t>()[i];
    if (id != ignore_index) total += weight.empty() ? 1.0 : weight[static_cast<std::size_t>(id)];
  }
  return total;
}

Tensor reduced_value(const Tensor& losses, Reduction reduction, double divisor,
                     const Shape& shape) {
  if (reduction == Reduction::none) return raw::reshape(losses, shape);
  double total = 0;
  compute_float(losses.dtype(), "cross_entropy", [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < losses.numel(); ++i)
      total += static_cast<double>(losses.data<T>()[i]);
  });
  return Tensor::scalar(
      reduction == Reduction::mean ? (divisor == 0 ? 0.0 : total / divisor) : total,
      losses.dtype());
}

/// Gradient of each row's loss (rows,).
Tensor row_scale(const Tensor& g, Reduction reduction, double divisor, std::int64_t rows) {
  if (reduction == Reduction::none) return raw::contiguous(g);
  if (shape_only()) return Tensor::empty({rows}, g.dtype());
  const double mean_share = divisor == 0 ? 0.0 : 1.0 / divisor;
  return Tensor::full({rows}, g.item() * (reduction == Reduction::mean ? mean_share : 1.0),
                      g.dtype());
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyOptions& options) {
  check_cross_entropy(logits, targets, options);
  SavedLoss saved;
  saved.logits = raw::contiguous(logits.detach());
  saved.ids = checked_targets(targets, logits.size(-1), options.ignore_index);
  if (options.class_weights.defined())
    saved.weights = raw::contiguous(options.class_weights.detach());
  saved.smoothing = options.label_smoothing;
  saved.ignore_index = options.ignore_index;
  saved.weight_sum = static_cast<double>(logits.size(-1));
  if (saved.weights.defined() && !shape_only()) {
    saved.weight_sum = 0;
    for (const double w : saved.weights.to_vector<double>()) saved.weight_sum += w;
  }
  const std::int64_t rows = saved.ids.numel();
  const double divisor = mean_divisor(saved.ids, saved.weights, options.ignore_index);
  saved.lse = Tensor::empty({rows}, logits.dtype());
  const Tensor losses = Tensor::empty({rows}, logits.dtype());
  compute_float(logits.dtype(), "cross_entropy", [&](auto zero) {
    using T = decltype(zero);
    kernels::cross_entropy_forward(saved.args<T>(), losses.data<T>(), saved.lse.data<T>());
  });
  const Reduction reduction = options.reduction;
  return record_fused(
      "cross_entropy", reduced_value(losses, reduction, divisor, targets.shape()), {logits},
      [=](const Tensor& g) -> Gradients {
        const Tensor dx = Tensor::empty(saved.logits.shape(), g.dtype()),
                     scale = row_scale(g, reduction, divisor, rows);
        compute_float(g.dtype(), "cross_entropy", [&](auto zero) {
          using T = decltype(zero);
          kernels::cross_entropy_backward(saved.args<T>(), saved.lse.data<T>(), scale.data<T>(),
                                          dx.data<T>());
        });
        return {dx};
      },
      [=] { return definition::cross_entropy(logits, targets, options); },
      {&saved.logits, &saved.ids, &saved.weights}, {&targets, &options.class_weights});
}

namespace {

/// t s, and 0 for t = 0 also where s is infinite.
Tensor weighted(const Tensor& t, const Tensor& s) {
  const Tensor is_zero = equal(t.detach(), Tensor::scalar(0, t.dtype()));
  const Tensor is_infinite =
      equal(abs(s.detach()), Tensor::scalar(std::numeric_limits<double>::infinity(), s.dtype()));
  const Tensor both = less(Tensor::scalar(1, s.dtype()),
                           add(raw::cast(is_zero, s.dtype()), raw::cast(is_infinite, s.dtype())));
  return mul(t, masked_fill(s, both, 0));
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, const Tensor& targets, Reduction reduction,
                       double pos_weight) {
  check_same_shape("bce_with_logits", logits, targets);
  if (!(pos_weight >= 0) || std::isinf(pos_weight))
    fail<ConfigError>("bce_with_logits", "pos_weight must be finite and 0 or more, got {}",
                      pos_weight);
  // -log s(x) = softplus(-x) and -log(1 - s(x)) = x + softplus(-x), so the loss is (1 - t) x + (1 +
  // (p - 1) t) softplus(-x).
  if (raw::find_nonfinite(logits) >= 0) {  // the sum below is infinity - infinity there
    const Tensor of_one = weighted(targets, softplus(neg(logits))),
                 of_none = weighted(1.0 - targets, softplus(logits));
    return reduce(add(pos_weight == 1 ? of_one : mul(of_one, pos_weight), of_none), reduction);
  }
  const Tensor tail = softplus(neg(logits)),
               linear_part = mul(sub(Tensor::full({}, 1, logits.dtype()), targets), logits);
  const Tensor losses = pos_weight == 1
                            ? add(linear_part, tail)
                            : add(linear_part, mul(add(mul(targets, pos_weight - 1), 1.0), tail));
  return reduce(losses, reduction);
}

Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
  check_same_shape("mse_loss", x, target);
  return reduce(square(sub(x, target)), reduction);
}

Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
  check_same_shape("l1_loss", x, target);
  return reduce(abs(sub(x, target)), reduction);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, double beta, Reduction reduction) {
  check_same_shape("smooth_l1_loss", x, target);
  if (!(beta > 0) || std::isinf(beta))
    fail<ConfigError>("smooth_l1_loss", "beta must be finite and above 0, got {}", beta);
  const Tensor difference = sub(x, target), distance = abs(difference);
  const Tensor is_near = less(distance, Tensor::full({}, beta, x.dtype()));
  return reduce(where(is_near, mul(square(difference), 0.5 / beta), add(distance, -0.5 * beta)),
                reduction);
}

Tensor kl_div(const Tensor& log_q, const Tensor& target, Reduction reduction) {
  check_same_shape("kl_div", log_q, target);
  const Tensor is_zero = equal(target, Tensor::full({}, 0, target.dtype()));
  // What stands beside a t of 0 must be finite: its gradient is 0 times that.
  const Tensor log_ratio =
      sub(log(masked_fill(target, is_zero, 1)), masked_fill(log_q, is_zero, 0));
  const Tensor losses = masked_fill(mul(target, log_ratio), is_zero, 0);
  if (reduction != Reduction::mean) return reduce(losses, reduction);
  const std::int64_t classes = target.rank() == 0 ? 1 : target.size(-1);
  return mul(sum(losses), classes == 0
                              ? 0.0
                              : static_cast<double>(classes) / static_cast<double>(target.numel()));
}

namespace definition {

Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyOptions& options) {
  const std::int64_t classes = logits.size(-1);
  const Tensor ids = checked_targets(targets, classes, options.ignore_index);
  const std::vector<double> weights =
      options.class_weights.defined() ? options.class_weights.to_vector<double>()
                                      : std::vector<double>(static_cast<std::size_t>(classes), 1.0);
  // The target distribution, each class times its weight: (1 - s) at the target and s / V
  // everywhere.
  std::vector<double> wanted(static_cast<std::size_t>(logits.numel()), 0.0);
  for (std::int64_t i = 0; i < ids.numel(); ++i) {
    const std::int64_t id = ids.data<std::int64_t>()[i];
    if (id == options.ignore_index) continue;
    for (std::int64_t c = 0; c < classes; ++c) {
      const double share = options.label_smoothing / static_cast<double>(classes) +
                           (c == id ? 1 - options.label_smoothing : 0.0);
      wanted[static_cast<std::size_t>(i * classes + c)] =
          share * weights[static_cast<std::size_t>(c)];
    }
  }
  const Tensor distribution = raw::cast(Tensor::from(wanted, logits.shape()), logits.dtype());
  const Tensor unwanted = equal(distribution, Tensor::full({}, 0, logits.dtype()));
  const Tensor log_p =
      masked_fill(weft::log_softmax(logits, -1), unwanted, 0);  // 0 times a probability of 0 is 0
  const Tensor losses = neg(sum(mul(log_p, distribution), {-1}));
  if (options.reduction == Reduction::none) return losses;
  const double divisor = mean_divisor(ids, options.class_weights, options.ignore_index);
  return options.reduction == Reduction::sum ? sum(losses)
                                             : mul(sum(losses), divisor == 0 ? 0.0 : 1.0 / divisor);
}

}  // namespace definition
}  // namespace weft
