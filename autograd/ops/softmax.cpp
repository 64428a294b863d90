#include "autograd/ops/softmax.h"

#include <limits>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "core/kernels/softmax.h"
#include "core/shape_only.h"

namespace weft {
namespace {

/// The dimension from the front; a scalar counts as one row of one element.
int row_dim(const Tensor& x, std::int64_t dim, const char* op) {
  if (!is_float(x.dtype())) fail<DTypeError>(op, "expects f32 or f64, got {}", name(x.dtype()));
  return x.rank() == 0 && (dim == 0 || dim == -1) ? 0 : normalize_dim(dim, x.rank(), op);
}

/// Calls kernel(rows of inputs..., rows of output, row count, row length) with dim moved last, and
/// moves it back.
template <class Kernel, class... Inputs>
Tensor along_rows(int dim, const Kernel& kernel, const Tensor& first, const Inputs&... others) {
  const bool last = first.rank() == 0 || dim == first.rank() - 1;
  const auto as_rows = [&](const Tensor& t) {
    return raw::contiguous(last ? t : raw::transpose(t, dim, -1));
  };
  const Tensor x = as_rows(first), out = Tensor::empty(x.shape(), x.dtype());
  if (x.numel() == 0) return Tensor::empty(first.shape(), x.dtype());
  const std::int64_t n = x.rank() == 0 ? 1 : x.size(-1), rows = x.numel() / n;
  compute_float(x.dtype(), "softmax", [&](auto zero) {
    using T = decltype(zero);
    kernel(static_cast<const T*>(x.data<T>()),
           static_cast<const T*>(as_rows(others).template data<T>())..., out.data<T>(), rows, n);
  });
  return last ? out : raw::contiguous(raw::transpose(out, dim, -1));
}

/// The largest element along dim, as a constant: it cancels out of both functions. 0 for a row of
/// only -inf.
Tensor shift_of(const Tensor& x, std::int64_t dim) {
  const Tensor largest = max(x.detach(), x.rank() == 0 ? Dims{} : Dims{dim}, true);
  const double lowest = -std::numeric_limits<double>::infinity();
  return masked_fill(largest, equal(largest, Tensor::full({}, lowest, x.dtype())), 0);
}

Tensor sum_along(const Tensor& x, std::int64_t dim) {
  return x.rank() == 0 ? x : sum(x, {dim}, true);
}

/// 1 where there is nothing to divide by, or to take the logarithm of.
Tensor nonzero_sum(const Tensor& sums) {
  return masked_fill(sums, equal(sums, Tensor::full({}, 0, sums.dtype())), 1);
}

}  // namespace

Tensor softmax(const Tensor& x, std::int64_t dim) {
  const int d = row_dim(x, dim, "softmax");
  Tensor out = along_rows(
      d, [](auto... args) { kernels::softmax(args...); }, x);
  if (!wants_grad(x)) return record("softmax", std::move(out), {x}, nullptr);
  return record_fused(
      "softmax", out, {x},
      [y = SavedOutput(out), d](const Tensor& g) -> Gradients {
        return {along_rows(
            d, [](auto... args) { kernels::softmax_backward(args...); }, y.get(), g)};
      },
      [x, d] { return definition::softmax(x, d); });
}

Tensor log_softmax(const Tensor& x, std::int64_t dim) {
  const int d = row_dim(x, dim, "log_softmax");
  Tensor out = along_rows(
      d, [](auto... args) { kernels::log_softmax(args...); }, x);
  if (!wants_grad(x)) return record("log_softmax", std::move(out), {x}, nullptr);
  return record_fused(
      "log_softmax", out, {x},
      [y = SavedOutput(out), d](const Tensor& g) -> Gradients {
        return {along_rows(
            d, [](auto... args) { kernels::log_softmax_backward(args...); }, y.get(), g)};
      },
      [x, d] { return definition::log_softmax(x, d); });
}

namespace definition {

Tensor softmax(const Tensor& x, std::int64_t dim) {
  if (x.numel() == 0) return mul(x, 1.0);
  const Tensor e = exp(sub(x, shift_of(x, dim)));
  return div(e, nonzero_sum(sum_along(e, dim)));
}

Tensor log_softmax(const Tensor& x, std::int64_t dim) {
  if (x.numel() == 0) return mul(x, 1.0);
  const Tensor shifted = sub(x, shift_of(x, dim));
  return sub(shifted, log(nonzero_sum(sum_along(exp(shifted), dim))));
}

}  // namespace definition
}  // namespace weft
