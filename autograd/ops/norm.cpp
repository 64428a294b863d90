#include "autograd/ops/norm.h"

#include <cmath>
#include <string>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "core/kernels/norm.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::Norm;
using kernels::NormArgs;

void check(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  if (x.rank() < 1) fail<ShapeError>(op, "x must have a last dimension: x {}", x.shape().str());
  if (!is_float(x.dtype())) fail<DTypeError>(op, "expects f32 or f64, got {}", name(x.dtype()));
  if (!(eps >= 0)) fail<ConfigError>(op, "eps must be 0 or more, got {}", eps);
  for (const auto& [t, what] : {std::pair{&weight, "weight"}, std::pair{&bias, "bias"}}) {
    if (!t->defined()) continue;
    if (t->shape() != Shape{x.size(-1)})
      fail<ShapeError>(op, "{} must be ({},): x {}, {} {}", what, x.size(-1), x.shape().str(), what,
                       t->shape().str());
    if (t->dtype() != x.dtype())
      fail<DTypeError>(op, "operands of different dtypes: x {}, {} {}; cast one", name(x.dtype()),
                       what, name(t->dtype()));
  }
}

/// Row-major operands and the statistics of each row, all that backward needs.
struct SavedNorm {
  Norm kind;
  Tensor x, weight, bias, mean, rstd;
  double eps;

  template <class T>
  NormArgs<T> args() const {
    const auto pointer = [](const Tensor& t) { return t.defined() ? t.data<T>() : nullptr; };
    const std::int64_t n = x.size(-1);
    return {kind,
            n > 0 ? x.numel() / n : 0,
            n,
            x.data<T>(),
            pointer(weight),
            pointer(bias),
            static_cast<T>(eps),
            pointer(mean),
            pointer(rstd)};
  }
};

Tensor dense(const Tensor& t) { return t.defined() ? raw::contiguous(t) : t; }

Tensor normalize(const char* op, Norm kind, const Tensor& x, const Tensor& weight,
                 const Tensor& bias, double eps, std::function<Tensor()> definition) {
  check(op, x, weight, bias, eps);
  const bool need_x = wants_grad(x), need_w = wants_grad(weight), need_b = wants_grad(bias);
  SavedNorm saved{kind, raw::contiguous(x), dense(weight), dense(bias), Tensor(), Tensor(), eps};
  if (need_x || need_w || need_b) {
    const std::int64_t n = x.size(-1);
    const Shape rows{n > 0 ? x.numel() / n : 0};
    if (kind == Norm::layer) saved.mean = Tensor::empty(rows, x.dtype());
    saved.rstd = Tensor::empty(rows, x.dtype());
  }
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  compute_float(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    kernels::norm_forward(saved.args<T>(), out.data<T>());
  });

  std::vector<Tensor> inputs{x};
  const bool has_weight = weight.defined(), has_bias = bias.defined();
  if (has_weight) inputs.push_back(weight);
  if (has_bias) inputs.push_back(bias);
  return record_fused(op, std::move(out), std::move(inputs),
                      [=](const Tensor& grad) -> Gradients {
                        const Tensor g = raw::contiguous(grad);
                        const Shape parameter{saved.x.size(-1)};
                        const Tensor dx = need_x ? Tensor::empty(g.shape(), g.dtype()) : Tensor();
                        const Tensor dw = need_w ? Tensor::empty(parameter, g.dtype()) : Tensor();
                        const Tensor db = need_b ? Tensor::empty(parameter, g.dtype()) : Tensor();
                        compute_float(g.dtype(), "norm", [&](auto zero) {
                          using T = decltype(zero);
                          const auto pointer = [](const Tensor& t) {
                            return t.defined() ? t.data<T>() : nullptr;
                          };
                          kernels::norm_backward(saved.args<T>(), g.data<T>(), pointer(dx),
                                                 pointer(dw), pointer(db));
                        });
                        Gradients gradients{dx};
                        if (has_weight) gradients.push_back(dw);
                        if (has_bias) gradients.push_back(db);
                        return gradients;
                      },
                      std::move(definition), {&saved.x, &saved.weight});
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return normalize("layer_norm", Norm::layer, x, weight, bias, eps,
                   [=] { return definition::layer_norm(x, weight, bias, eps); });
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return normalize("rms_norm", Norm::rms, x, weight, Tensor(), eps,
                   [=] { return definition::rms_norm(x, weight, eps); });
}

namespace definition {

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  if (x.dtype() ==
      DType::f32) {  // squares of large floats are doubles, and so are means that f32 would round
    const auto wide = [](const Tensor& t) { return t.defined() ? cast(t, DType::f64) : t; };
    return cast(definition::layer_norm(wide(x), wide(weight), wide(bias), eps), DType::f32);
  }
  const Tensor centered = sub(x, mean(x, {-1}, true));
  Tensor y = mul(centered, rsqrt(add(mean(square(centered), {-1}, true), eps)));
  if (weight.defined()) y = mul(y, weight);
  return bias.defined() ? add(y, bias) : y;
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  if (x.dtype() == DType::f32)
    return cast(definition::rms_norm(cast(x, DType::f64),
                                     weight.defined() ? cast(weight, DType::f64) : weight, eps),
                DType::f32);
  const Tensor y = mul(x, rsqrt(add(mean(square(x), {-1}, true), eps)));
  return weight.defined() ? mul(y, weight) : y;
}

}  // namespace definition
}  // namespace weft
