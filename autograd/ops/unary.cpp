#include "autograd/ops/unary.h"

#include <cmath>
#include <numbers>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "core/kernels/unary.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::Unary;

/// The value of an elementwise op, not recorded.
Tensor compute(Unary kind, const char* op, const Tensor& x) {
  const Tensor from =
      raw::contiguous(raw::unexpanded(x));  // each element once, however often it is repeated
  const Tensor out = Tensor::empty(from.shape(), x.dtype());
  compute_float(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    kernels::unary(kind, from.data<T>(), out.data<T>(), out.numel());
  });
  return from.shape() == x.shape() ? out : raw::clone(raw::expand(out, x.shape()));
}

/// g times the op's derivative in one pass; x_or_y is what the kernel's documentation wants.
Tensor backward_kernel(Unary kind, const char* op, const Tensor& x_or_y, const Tensor& g) {
  const Tensor at = raw::contiguous(x_or_y);
  // In the place of a gradient that nobody else holds.
  const bool in_place = g.is_unique() && g.is_contiguous() && !g.requires_grad();
  const Tensor from = raw::contiguous(g);
  const Tensor out = in_place ? g : Tensor::empty(g.shape(), g.dtype());
  if (in_place) out.bump_version();
  compute_float(g.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, float>)
      if (at.dtype() == DType::bf16)
        return kernels::unary_backward(kind, at.data<BFloat16>(), from.data<float>(),
                                       out.data<float>(), out.numel());
    kernels::unary_backward(kind, at.data<T>(), from.data<T>(), out.data<T>(), out.numel());
  });
  return out;
}

/// For an op whose derivative is a function of its own output: one kernel pass, or `rule` of ops
/// when the gradient is itself recorded.
Tensor record_by_output(Unary kind, const char* op, const Tensor& x,
                        Tensor (*rule)(const Tensor& g, const Tensor& y)) {
  const Tensor out = compute(kind, op, x);
  if (!wants_grad(x)) return out;
  return record(op, out, {x}, [kind, op, rule, y = SavedOutput(out)](const Tensor& g) -> Gradients {
    return {grad_enabled() ? rule(g, y.get()) : backward_kernel(kind, op, y.get(), g)};
  });
}

/// For a hot op of x with a kernel and a definition.
Tensor record_with_kernel(Unary kind, const char* op, const Tensor& x,
                          std::function<Tensor()> definition) {
  Tensor out = compute(kind, op, x);
  const SavedOperand saved = wants_grad(x) ? SavedOperand(x) : SavedOperand();
  return record_fused(op, std::move(out), {x},
                      [kind, op, saved](const Tensor& g) -> Gradients {
                        return {backward_kernel(kind, op, saved.get(), g)};
                      },
                      saved.rounded() ? nullptr : std::move(definition), {saved.watched()});
}

}  // namespace

Tensor neg(const Tensor& x) {
  return record("neg", compute(Unary::neg, "neg", x), {x},
                [](const Tensor& g) -> Gradients { return {neg(g)}; });
}

Tensor exp(const Tensor& x) {
  const Tensor out = compute(Unary::exp, "exp", x);
  if (!wants_grad(x)) return out;
  return record("exp", out, {x},
                [y = SavedOutput(out)](const Tensor& g) -> Gradients { return {mul(g, y.get())}; });
}

Tensor log(const Tensor& x) {
  return record("log", compute(Unary::log, "log", x), {x},
                [x](const Tensor& g) -> Gradients { return {div(g, x)}; }, {&x});
}

Tensor sqrt(const Tensor& x) {
  const Tensor out = compute(Unary::sqrt, "sqrt", x);
  if (!wants_grad(x)) return out;
  return record("sqrt", out, {x}, [y = SavedOutput(out)](const Tensor& g) -> Gradients {
    return {div(mul(g, 0.5), y.get())};
  });
}

Tensor rsqrt(const Tensor& x) {
  const Tensor out = compute(Unary::rsqrt, "rsqrt", x);
  if (!wants_grad(x)) return out;
  return record("rsqrt", out, {x}, [y = SavedOutput(out)](const Tensor& g) -> Gradients {
    const Tensor root = y.get();  // x^(-3/2) = y^3
    return {mul(mul(g, -0.5), mul(square(root), root))};
  });
}

Tensor abs(const Tensor& x) {
  return record("abs", compute(Unary::abs, "abs", x), {x},
                [x = x.detach()](const Tensor& g) -> Gradients { return {mul(g, sign(x))}; }, {&x});
}

Tensor sign(const Tensor& x) {
  return record("sign", compute(Unary::sign, "sign", x), {x},
                [](const Tensor& g) -> Gradients { return {Tensor::zeros(g.shape(), g.dtype())}; });
}

Tensor sin(const Tensor& x) {
  return record("sin", compute(Unary::sin, "sin", x), {x},
                [x](const Tensor& g) -> Gradients { return {mul(g, cos(x))}; }, {&x});
}

Tensor cos(const Tensor& x) {
  return record("cos", compute(Unary::cos, "cos", x), {x},
                [x](const Tensor& g) -> Gradients { return {mul(g, neg(sin(x)))}; }, {&x});
}

Tensor tanh(const Tensor& x) {
  return record_by_output(Unary::tanh, "tanh", x,
                          [](const Tensor& g, const Tensor& y) { return mul(g, 1.0 - square(y)); });
}

Tensor sigmoid(const Tensor& x) {
  return record_by_output(Unary::sigmoid, "sigmoid", x,
                          [](const Tensor& g, const Tensor& y) { return mul(g, mul(y, 1.0 - y)); });
}

Tensor relu(const Tensor& x) {
  return record_by_output(Unary::relu, "relu", x, [](const Tensor& g, const Tensor& y) {
    const Tensor none = Tensor::scalar(0, g.dtype());
    return where(greater(y.detach(), none), g, none);
  });
}

Tensor square(const Tensor& x) {
  return record("square", compute(Unary::square, "square", x), {x},
                [x](const Tensor& g) -> Gradients { return {mul(mul(g, 2.0), x)}; }, {&x});
}

Tensor erf(const Tensor& x) {
  return record("erf", compute(Unary::erf, "erf", x), {x},
                [x](const Tensor& g) -> Gradients {
                  return {mul(mul(g, 2 * std::numbers::inv_sqrtpi), exp(neg(square(x))))};
                },
                {&x});
}

Tensor gelu(const Tensor& x, Gelu form) {
  return record_with_kernel(form == Gelu::erf ? Unary::gelu_erf : Unary::gelu_tanh, "gelu", x,
                            [x, form] { return definition::gelu(x, form); });
}

Tensor silu(const Tensor& x) {
  return record_with_kernel(Unary::silu, "silu", x, [x] { return definition::silu(x); });
}

Tensor softplus(const Tensor& x) {
  return record("softplus", compute(Unary::softplus, "softplus", x), {x},
                [x](const Tensor& g) -> Gradients {
                  return {grad_enabled() ? mul(g, sigmoid(x))
                                         : backward_kernel(Unary::softplus, "softplus", x, g)};
                },
                {&x});
}

Tensor clamp(const Tensor& x, double low, double high) {
  if (!(low <= high))
    fail<ConfigError>("clamp", "expects low <= high, got low {}, high {}", low, high);
  const Tensor least = Tensor::scalar(low, x.dtype()), most = Tensor::scalar(high, x.dtype());
  const Tensor from = x.detach();
  if (!is_float(x.dtype()))
    fail<DTypeError>("clamp", "expects f32 or f64, got {}", name(x.dtype()));
  return record("clamp", minimum(maximum(from, least), most), {x},
                [from, least, most](const Tensor& g) -> Gradients {
                  // Inside is what stays as it is: so NaN, which equals nothing, is outside.
                  return {where(equal(from, minimum(maximum(from, least), most)), g,
                                Tensor::scalar(0, g.dtype()))};
                },
                {&x});
}

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  const Tensor out = raw::cast(x, dtype);
  if (!is_float(dtype) || !is_float(x.dtype())) return out;
  return record("cast", out, {x},
                [from = x.dtype()](const Tensor& g) -> Gradients { return {cast(g, from)}; });
}

Tensor contiguous(const Tensor& x) {
  if (x.is_contiguous()) return x;
  return record("contiguous", raw::contiguous(x), {x},
                [](const Tensor& g) -> Gradients { return {g}; });
}

namespace definition {

Tensor gelu(const Tensor& x, Gelu form) {
  if (form == Gelu::erf) return mul(mul(x, 0.5), erf(mul(x, 1 / std::numbers::sqrt2)) + 1.0);
  const Tensor inner =
      mul(add(x, mul(mul(square(x), x), 0.044715)), std::sqrt(2 / std::numbers::pi));
  return mul(mul(x, 0.5), tanh(inner) + 1.0);
}

Tensor silu(const Tensor& x) { return mul(x, sigmoid(x)); }

}  // namespace definition
}  // namespace weft
