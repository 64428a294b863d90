#include "autograd/ops/binary.h"

#include <algorithm>
#include <array>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "core/kernels/binary.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::Binary;
using kernels::Compare;

/// t's strides when stretched to `shape`: 0 along every dimension it is repeated in.
Shape stretched_strides(const Tensor& t, const Shape& shape) {
  Shape strides = Shape::filled(shape.rank(), 0);
  const int missing = shape.rank() - t.rank();
  for (int dim = 0; dim < t.rank(); ++dim)
    if (t.shape()[dim] != 1) strides[missing + dim] = t.strides()[dim];
  return strides;
}

void check_dtypes(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype())
    fail<DTypeError>(op, "operands differ in dtype: a {}, b {}; cast() one of them",
                     name(a.dtype()), name(b.dtype()));
}

void check_mask(const char* op, const Tensor& mask) {
  if (mask.dtype() != DType::u8)
    fail<DTypeError>(op, "expects a u8 mask, got {}; compare with equal, greater or less",
                     name(mask.dtype()));
}

/// The value of an elementwise op, not recorded.
Tensor compute(Binary kind, const char* op, const Tensor& a, const Tensor& b) {
  check_dtypes(op, a, b);
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), op);
  const Tensor out = Tensor::empty(shape, a.dtype());
  compute_float(a.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    kernels::binary(kind, shape, a.data<T>(), stretched_strides(a, shape), b.data<T>(),
                    stretched_strides(b, shape), out.data<T>());
  });
  return out;
}

/// The same with a constant second operand.
Tensor compute(Binary kind, const char* op, const Tensor& a, double b) {
  const Tensor out = Tensor::empty(a.shape(), a.dtype());
  compute_float(a.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const T constant = static_cast<T>(b);
    kernels::binary(kind, a.shape(), a.data<T>(), a.strides(), &constant,
                    Shape::filled(a.rank(), 0), out.data<T>());
  });
  return out;
}

Tensor compare(Compare kind, const char* op, const Tensor& a, const Tensor& b) {
  check_dtypes(op, a, b);
  if (a.dtype() == DType::bf16)
    return compare(kind, op, raw::cast(a, DType::f32), raw::cast(b, DType::f32));
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), op);
  const Tensor out = Tensor::empty(shape, DType::u8);
  compute_any(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, BFloat16>)
      kernels::compare<T>(kind, shape, a.data<T>(), stretched_strides(a, shape), b.data<T>(),
                          stretched_strides(b, shape), out.data<std::uint8_t>());
  });
  return out;
}

/// t when it will be needed, so that what nobody asks for is not kept alive.
Tensor kept_if(bool needed, const Tensor& t) { return needed ? t : Tensor(); }
const Tensor* saved_if(bool needed, const Tensor& t) { return needed ? &t : nullptr; }

Tensor extreme(Binary kind, Compare wins, const char* op, const Tensor& a, const Tensor& b) {
  const Tensor out = compute(kind, op, a, b);
  if (!wants_grad(a) && !wants_grad(b)) return out;
  return record(
      op, out, {a, b},
      [a = a.detach(), b = b.detach(), wins, op](const Tensor& g) -> Gradients {
        // The share of a: 1 where it wins or is NaN, 1/2 at a tie, else 0.
        const Tensor half = Tensor::scalar(0.5, a.dtype()), one = Tensor::scalar(1, a.dtype()),
                     none = Tensor::scalar(0, a.dtype());
        const Tensor of_numbers = where(compare(wins, op, a, b), one,
                                        where(compare(Compare::equal, op, a, b), half, none));
        const Tensor share = where(compare(Compare::equal, op, a, a), of_numbers, one);
        return {mul(g, share), mul(g, sub(one, share))};
      },
      {&a, &b});
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return record("add", compute(Binary::add, "add", a, b), {a, b}, [](const Tensor& g) -> Gradients {
    return {g, g};
  });
}

Tensor sub(const Tensor& a, const Tensor& b) {
  const bool need_b = wants_grad(b);
  return record("sub", compute(Binary::sub, "sub", a, b), {a, b},
                [need_b](const Tensor& g) -> Gradients {
                  return {g, need_b ? mul(g, -1.0) : Tensor()};
                });
}

Tensor mul(const Tensor& a, const Tensor& b) {
  const Tensor out = compute(Binary::mul, "mul", a, b);
  return record(
      "mul", out, {a, b},
      [a = kept_if(wants_grad(b), a), b = kept_if(wants_grad(a), b)](const Tensor& g) -> Gradients {
        return {b.defined() ? mul(g, b) : Tensor(), a.defined() ? mul(g, a) : Tensor()};
      },
      {saved_if(wants_grad(b), a), saved_if(wants_grad(a), b)});
}

Tensor div(const Tensor& a, const Tensor& b) {
  const Tensor out = compute(Binary::div, "div", a, b);
  const bool need_a = wants_grad(a), need_b = wants_grad(b);
  if (!need_a && !need_b) return out;
  return record("div", out, {a, b},
                [b, y = SavedOutput(out), need_a, need_b](const Tensor& g) -> Gradients {
                  const Tensor da = div(g, b);  // d(a/b)/db = -(a/b) / b
                  return {need_a ? da : Tensor(), need_b ? mul(mul(da, y.get()), -1.0) : Tensor()};
                },
                {&b});
}

Tensor pow(const Tensor& a, const Tensor& b) {
  const Tensor out = compute(Binary::pow, "pow", a, b);
  const bool need_a = wants_grad(a), need_b = wants_grad(b);
  if (!need_a && !need_b) return out;
  return record(
      "pow", out, {a, b},
      [a, b, y = SavedOutput(out), need_a, need_b](const Tensor& g) -> Gradients {
        const Tensor none = Tensor::scalar(0, a.dtype()), one = Tensor::scalar(1, a.dtype());
        const Tensor a_is_0 = equal(a, none);
        Gradients grads(2);
        if (need_a) {
          // b a^(b-1), but 0 at 0^0, where the formula has 0 * infinity: there the exponent is
          // replaced by 1.
          const Tensor b_less_1 = sub(b, one);
          const Tensor exponent = where(a_is_0, where(equal(b, none), one, b_less_1), b_less_1);
          grads[0] = mul(g, mul(b, pow(a, exponent)));
        }
        if (need_b) {
          // a^b log a, and 0 where a is 0 and b >= 0, since 0^b is 0 around there: there log 1 is
          // taken.
          const Tensor base = where(a_is_0, where(less(b, none), none, one), a);
          grads[1] = mul(g, mul(y.get(), log(base)));
        }
        return grads;
      },
      {&a, &b});
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  return extreme(Binary::maximum, Compare::greater, "maximum", a, b);
}
Tensor minimum(const Tensor& a, const Tensor& b) {
  return extreme(Binary::minimum, Compare::less, "minimum", a, b);
}

Tensor add(const Tensor& a, double b) {
  return record("add", compute(Binary::add, "add", a, b), {a},
                [](const Tensor& g) -> Gradients { return {g}; });
}

Tensor mul(const Tensor& a, double b) {
  return record("mul", compute(Binary::mul, "mul", a, b), {a},
                [b](const Tensor& g) -> Gradients { return {mul(g, b)}; });
}

Tensor div(const Tensor& a, double b) {
  return record("div", compute(Binary::div, "div", a, b), {a},
                [b](const Tensor& g) -> Gradients { return {div(g, b)}; });
}

Tensor pow(const Tensor& a, double b) {
  Tensor out;
  if (b == 2)
    out = compute(Binary::mul, "pow", a, a);
  else if (b == 3)
    out = compute(Binary::mul, "pow", compute(Binary::mul, "pow", a, a), a);
  else if (b == -1)
    out = compute(Binary::div, "pow", Tensor::scalar(1, a.dtype()), a);
  else
    out = compute(Binary::pow, "pow", a, b);
  return record("pow", out, {a},
                [a = kept_if(wants_grad(a), a), b](const Tensor& g) -> Gradients {
                  if (b == 0) return {mul(g, 0.0)};
                  if (b == 1) return {g};
                  return {mul(g, mul(b == 2 ? a : pow(a, b - 1), b))};
                },
                {saved_if(b != 0 && b != 1, a)});
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  check_mask("where", condition);
  check_dtypes("where", a, b);
  const Shape shape =
      broadcast_shapes(condition.shape(), broadcast_shapes(a.shape(), b.shape(), "where"), "where");
  const Tensor out = Tensor::empty(shape, a.dtype());
  compute_float(a.dtype(), "where", [&](auto zero) {
    using T = decltype(zero);
    kernels::where<T>(shape, condition.data<std::uint8_t>(), stretched_strides(condition, shape),
                      a.data<T>(), stretched_strides(a, shape), b.data<T>(),
                      stretched_strides(b, shape), out.data<T>());
  });
  const bool need_a = wants_grad(a), need_b = wants_grad(b);
  return record("where", out, {condition, a, b},
                [condition, need_a, need_b](const Tensor& g) -> Gradients {
                  const Tensor none = Tensor::scalar(0, g.dtype());
                  return {Tensor(), need_a ? where(condition, g, none) : Tensor(),
                          need_b ? where(condition, none, g) : Tensor()};
                },
                {&condition});
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  check_mask("masked_fill", mask);
  if (!broadcasts_to(mask.shape(), x.shape()))
    fail<ShapeError>("masked_fill", "the mask must broadcast to x: x {}, mask {}", x.shape().str(),
                     mask.shape().str());
  if (!is_float(x.dtype()))
    fail<DTypeError>("masked_fill", "expects f32 or f64, got {}", name(x.dtype()));
  const Tensor out = where(mask, Tensor::scalar(value, x.dtype()), x.detach());
  return record("masked_fill", out, {x},
                [mask](const Tensor& g) -> Gradients { return {masked_fill(g, mask, 0)}; },
                {&mask});
}

Tensor equal(const Tensor& a, const Tensor& b) { return compare(Compare::equal, "equal", a, b); }
bool all_equal(const Tensor& a, const Tensor& b) {
  check_dtypes("all_equal", a, b);
  if (a.shape() != b.shape()) return false;
  const std::vector<std::uint8_t> same = equal(a, b).to_vector<std::uint8_t>();
  return std::all_of(same.begin(), same.end(), [](std::uint8_t one) { return one != 0; });
}
Tensor greater(const Tensor& a, const Tensor& b) {
  return compare(Compare::greater, "greater", a, b);
}
Tensor less(const Tensor& a, const Tensor& b) { return compare(Compare::less, "less", a, b); }

}  // namespace weft
