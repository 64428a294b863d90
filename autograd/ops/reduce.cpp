#include "autograd/ops/reduce.h"

#include <array>
#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "core/kernels/reduce.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::Reduce;

/// What a reduction does to a shape.
struct Plan {
  std::array<bool, Shape::kMaxRank> reduced{};
  Shape kept;              ///< with the reduced dimensions of size 1
  Shape dropped;           ///< without them
  std::int64_t count = 1;  ///< elements that become one
};

/// Where a stretched dimension (stride 0) holds each element once: the tensor, and how many equal
/// terms of a sum each stands for.
struct Distinct {
  Tensor x;
  double copies = 1;
};

Distinct distinct(const Tensor& x, const Plan& plan) {
  if (x.numel() == 0) return {x};
  Distinct result{raw::unexpanded(x)};
  for (int d = 0; d < x.rank(); ++d)
    if (plan.reduced[static_cast<std::size_t>(d)] && result.x.shape()[d] != x.shape()[d])
      result.copies *= static_cast<double>(x.shape()[d]);
  return result;
}

Plan plan_for(const char* op, const Shape& shape, const Dims& dims) {
  Plan plan;
  for (const std::int64_t dim : dims) {
    const int d = normalize_dim(dim, shape.rank(), op);
    if (plan.reduced[static_cast<std::size_t>(d)])
      fail<IndexError>(op, "dimension {} is given twice", d);
    plan.reduced[static_cast<std::size_t>(d)] = true;
  }
  for (int d = 0; d < shape.rank(); ++d) {
    bool& reduced = plan.reduced[static_cast<std::size_t>(d)];
    if (dims.empty()) reduced = true;
    plan.kept.push_back(reduced ? 1 : shape[d]);
    if (reduced)
      plan.count *= shape[d];
    else
      plan.dropped.push_back(shape[d]);
  }
  return plan;
}

/// Reduces one group of neighboring dimensions [first, last] after the other, from the last; each
/// is a (outer, n, inner) problem.
template <class T>
Tensor reduce_groups(Reduce kind, const Tensor& x, const Plan& plan) {
  Tensor current = raw::contiguous(x);
  Shape shape = x.shape();
  bool done = false;
  for (int last = shape.rank() - 1; last >= 0; --last) {
    if (!plan.reduced[static_cast<std::size_t>(last)]) continue;
    int first = last;
    while (first > 0 && plan.reduced[static_cast<std::size_t>(first - 1)]) --first;
    std::int64_t outer = 1, n = 1, inner = 1;
    for (int d = 0; d < shape.rank(); ++d) (d < first ? outer : d <= last ? n : inner) *= shape[d];
    for (int d = first; d <= last; ++d) shape[d] = 1;
    if (n != 1) {
      const Tensor next = Tensor::empty(shape, x.dtype());
      if (!shape_only()) kernels::reduce(kind, current.data<T>(), outer, n, inner, next.data<T>());
      current = next;
      done = true;
    }
    last = first;
  }
  return done ? current : raw::clone(x);
}

Tensor reduce_own(Reduce kind, const char* op, const Tensor& x, const Plan& plan) {
  return dispatch_float(x.dtype(), op,
                        [&](auto zero) { return reduce_groups<decltype(zero)>(kind, x, plan); });
}

/// A result of Distinct::x, repeated along the dimensions that x repeats and the reduction keeps.
Tensor repeated(const Tensor& value, const Plan& plan) {
  return value.shape() == plan.kept ? value : raw::clone(raw::expand(value, plan.kept));
}

/// The value of a reduction with reduced dimensions of size 1, not recorded.
Tensor reduce_value(Reduce kind, const char* op, const Tensor& x, const Plan& plan) {
  const Distinct own = distinct(x, plan);
  const Tensor value = reduce_own(kind, op, own.x, plan);
  return repeated(kind == Reduce::sum && own.copies != 1 ? mul(value, own.copies) : value, plan);
}

/// A fresh tensor in the shape the caller asked for; a view of `value`, which nobody else holds.
Tensor shaped(const Tensor& value, const Plan& plan, bool keepdim) {
  return keepdim ? value : raw::reshape(value, plan.dropped);
}

/// A gradient (or an output) of either shape, stretched back over the reduced dimensions.
Tensor stretch(const Tensor& g, const Shape& kept, const Shape& full) {
  return expand(reshape(g, kept), full);
}

Tensor extreme(Reduce kind, const char* op, const Tensor& x, const Dims& dims, bool keepdim) {
  const Plan plan = plan_for(op, x.shape(), dims);
  if (plan.count == 0)
    fail<ShapeError>(op, "nothing to choose from: x {}; the reduced dimensions hold no element",
                     x.shape().str());
  const Tensor value = reduce_value(kind, op, x, plan);
  if (!wants_grad(x)) return shaped(value, plan, keepdim);
  return record(op, shaped(value, plan, keepdim), {x},
                [x = x.detach(), value = value.detach(), plan](const Tensor& g) -> Gradients {
                  // 1 / (number of ties) at each of them. (With keepdim `value` is the output
                  // itself, and holding that would be a cycle: hence detach.)
                  const Tensor one = Tensor::scalar(1, x.dtype()),
                               none = Tensor::scalar(0, x.dtype());
                  const Tensor ties = where(
                      equal(x, value), one,
                      where(equal(x, x), none, one));  // a group with a NaN is won by its NaNs
                  const Tensor share = div(ties, reduce_value(Reduce::sum, "sum", ties, plan));
                  return {mul(reshape(g, plan.kept), share)};
                },
                {&x, &value});
}

Tensor running_sum(const Tensor& x, int dim, bool reverse) {
  const Tensor from = raw::contiguous(x), out = Tensor::empty(x.shape(), x.dtype());
  std::int64_t outer = 1, inner = 1;
  for (int d = 0; d < dim; ++d) outer *= x.shape()[d];
  for (int d = dim + 1; d < x.rank(); ++d) inner *= x.shape()[d];
  compute_float(x.dtype(), "cumsum", [&](auto zero) {
    using T = decltype(zero);
    kernels::cumsum<T>(from.data<T>(), outer, x.shape()[dim], inner, reverse, out.data<T>());
  });
  return record("cumsum", out, {x}, [dim, reverse](const Tensor& g) -> Gradients {
    return {running_sum(g, dim, !reverse)};
  });
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim) {
  const Plan plan = plan_for("sum", x.shape(), dims);
  return record("sum", shaped(reduce_value(Reduce::sum, "sum", x, plan), plan, keepdim), {x},
                [kept = plan.kept, full = x.shape()](const Tensor& g) -> Gradients {
                  return {stretch(g, kept, full)};
                });
}

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  const Plan plan = plan_for("mean", x.shape(), dims);
  const double scale =
      1.0 /
      static_cast<double>(plan.count);  // infinite over nothing: 0 * infinity is the NaN we promise
  const Tensor value = mul(reduce_value(Reduce::sum, "mean", x, plan), scale);
  return record("mean", shaped(value, plan, keepdim), {x},
                [kept = plan.kept, full = x.shape(), scale](const Tensor& g) -> Gradients {
                  return {stretch(mul(g, scale), kept, full)};
                });
}

Tensor var(const Tensor& x, const Dims& dims, int correction, bool keepdim) {
  const Plan plan = plan_for("var", x.shape(), dims);
  if (plan.count <= correction)
    fail<NumericError>("var", "needs more elements than the correction: {} over {} of x {}",
                       correction, plan.count, x.shape().str());
  if (!is_float(x.dtype())) fail<DTypeError>("var", "expects f32 or f64, got {}", name(x.dtype()));
  const double scale = 1.0 / static_cast<double>(plan.count - correction);
  // Two passes: squares of the deviations, which do not cancel as sum(x^2) - mean^2 would. In f64,
  // whose squares hold those of every f32, and whose mean a large f32 needs: that of 10,000,001 and
  // 10,000,002 does not fit one.
  const auto deviations = [dims](const Tensor& t) {
    const Tensor wide = cast(t, DType::f64);
    return sub(wide, mean(wide, dims, true));
  };
  const Distinct own = distinct(x.detach(), plan);
  const Tensor squares = reduce_own(Reduce::sum, "var", square(deviations(own.x)), plan);
  const Tensor value = repeated(raw::cast(mul(squares, scale * own.copies), x.dtype()), plan);
  return record(
      "var", shaped(value, plan, keepdim), {x},
      [x, deviations, kept = plan.kept, scale](const Tensor& g) -> Gradients {
        return {cast(mul(mul(reshape(cast(g, DType::f64), kept), 2 * scale), deviations(x)),
                     x.dtype())};
      },
      {&x});
}

Tensor max(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme(Reduce::max, "max", x, dims, keepdim);
}
Tensor min(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme(Reduce::min, "min", x, dims, keepdim);
}

Tensor argmax(const Tensor& x, std::int64_t dim, bool keepdim) {
  if (x.dtype() == DType::bf16) return argmax(raw::cast(x, DType::f32), dim, keepdim);
  const int d = normalize_dim(dim, x.rank(), "argmax");
  if (const Tensor own = raw::unexpanded(x);
      own.shape() != x.shape()) {  // the first of equals: where the elements stand once
    Shape kept = x.shape();
    kept[d] = 1;
    const Tensor all = raw::clone(raw::expand(argmax(own, d, true), kept));
    if (keepdim) return all;
    kept.erase(d);
    return raw::reshape(all, kept);
  }
  if (x.shape()[d] == 0)
    fail<ShapeError>("argmax", "nothing to choose from: dimension {} of x {} is empty", d,
                     x.shape().str());
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < d; ++i) outer *= x.shape()[i];
  for (int i = d + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  Shape shape = x.shape();
  if (keepdim)
    shape[d] = 1;
  else
    shape.erase(d);
  const Tensor from = raw::contiguous(x), out = Tensor::empty(shape, DType::i64);
  compute_any(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, BFloat16>)
      kernels::argmax<T>(from.data<T>(), outer, x.shape()[d], inner, out.data<std::int64_t>());
  });
  return out;
}

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim) {
  const Plan plan = plan_for("logsumexp", x.shape(), dims);
  // log sum e^x = m + log sum e^(x - m) with m the maximum; where m is infinite it is left out, or
  // infinity - infinity would appear.
  Tensor value;
  {
    const NoGrad constants;
    const Distinct own = distinct(x, plan);
    const Tensor top = reduce_own(Reduce::max, "logsumexp", own.x, plan);
    const Tensor infinity = Tensor::scalar(std::numeric_limits<double>::infinity(), x.dtype());
    const Tensor shift = where(equal(abs(top), infinity), Tensor::scalar(0, x.dtype()), top);
    const Tensor sums = reduce_own(Reduce::sum, "logsumexp", exp(sub(own.x, shift)), plan);
    value = repeated(add(log(own.copies == 1 ? sums : mul(sums, own.copies)), shift), plan);
  }
  const Tensor out = shaped(value, plan, keepdim);
  if (!wants_grad(x)) return out;
  return record(
      "logsumexp", out, {x},
      [x, y = SavedOutput(out), kept = plan.kept](const Tensor& g) -> Gradients {
        // softmax = e^(x - logsumexp); over a group of only -infinity it is 0, not e^(-infinity +
        // infinity).
        const Tensor total = reshape(y.get(), kept);
        const Tensor lowest = Tensor::scalar(-std::numeric_limits<double>::infinity(), x.dtype());
        return {mul(reshape(g, kept), exp(sub(x, masked_fill(total, equal(total, lowest), 0))))};
      },
      {&x});
}

Tensor cumsum(const Tensor& x, std::int64_t dim) {
  return running_sum(x, normalize_dim(dim, x.rank(), "cumsum"), false);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (!broadcasts_to(shape, x.shape()))
    fail<ShapeError>("sum_to", "the shape must broadcast to x: x {}, shape {}", x.shape().str(),
                     shape.str());
  if (shape == x.shape()) return x;
  Plan plan;
  const int added = x.rank() - shape.rank();
  for (int d = 0; d < x.rank(); ++d) {
    plan.reduced[static_cast<std::size_t>(d)] =
        d < added || (shape[d - added] == 1 && x.shape()[d] != 1);
    plan.kept.push_back(plan.reduced[static_cast<std::size_t>(d)] ? 1 : x.shape()[d]);
  }
  plan.dropped = shape;
  return record("sum_to", shaped(reduce_value(Reduce::sum, "sum_to", x, plan), plan, false), {x},
                [kept = plan.kept, full = x.shape()](const Tensor& g) -> Gradients {
                  return {stretch(g, kept, full)};
                });
}

}  // namespace weft
