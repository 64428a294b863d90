#include "autograd/ops/matmul.h"

#include <algorithm>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/product_observer.h"
#include "core/kernels/linear.h"
#include "core/kernels/product.h"
#include "core/parallel.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using blas::Op;

constexpr double kChunkFlops = 2.0e6;
constexpr double kLargeProduct = 32.0e6;  // flops from which one product keeps every core busy

/// How the last two dimensions of a tensor are handed to gemm.
struct Layout {
  Op op = Op::none;
  std::int64_t ld = 0;
};

/// False when neither the matrix nor its transpose has rows without gaps.
bool find_layout(const Tensor& t, Layout& layout) {
  const int rank = t.rank();
  const std::int64_t rows = t.shape()[rank - 2], columns = t.shape()[rank - 1];
  const std::int64_t row_stride = t.strides()[rank - 2], column_stride = t.strides()[rank - 1];
  if ((column_stride == 1 || columns <= 1) && (row_stride >= columns || rows <= 1)) {
    layout = {Op::none, std::max<std::int64_t>(rows <= 1 ? columns : row_stride, 1)};
    return true;
  }
  if ((row_stride == 1 || rows <= 1) && (column_stride >= rows || columns <= 1)) {
    layout = {Op::transpose, std::max<std::int64_t>(columns <= 1 ? rows : column_stride, 1)};
    return true;
  }
  return false;
}

/// `t`, or a row-major copy where gemm cannot read it.
Tensor readable(const Tensor& t, Layout& layout) {
  if (find_layout(t, layout)) return t;
  // One matrix of each batch that differs: a stretched leading dimension stays one.
  Shape shape = t.shape();
  for (int i = 0; i < t.rank() - 2; ++i)
    if (t.strides()[i] == 0) shape[i] = std::min<std::int64_t>(shape[i], 1);
  const Tensor copy = raw::contiguous(t.as_strided(shape, t.strides()));
  find_layout(copy, layout);
  return copy;
}

/// Offset of batch number `index` in a tensor whose leading dimensions broadcast to `batch`.
std::int64_t batch_offset(std::int64_t index, const Shape& batch, const Tensor& t) {
  const int leading = t.rank() - 2;
  std::int64_t offset = 0;
  for (int i = batch.rank() - 1, d = leading - 1; i >= 0 && d >= 0; --i, --d) {
    if (t.shape()[d] != 1) offset += index % batch[i] * t.strides()[d];
    index /= batch[i];
  }
  return offset;
}

/// (..., M, K) x (..., K, N), ranks at least 2, not recorded.
Tensor batched_product(const Tensor& a, const Tensor& b, const Shape& batch) {
  const std::int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1), count = batch.numel();
  Shape shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  const Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() == 0) return out;
  product_made({.op = "matmul", .m = m, .n = n, .k = k, .count = count});
  Layout la, lb;
  const Tensor ra = readable(a, la), rb = readable(b, lb);
  compute_float(a.dtype(), "matmul", [&](auto zero) {
    using T = decltype(zero);
    const auto one = [&](std::int64_t i, const auto& multiply) {
      multiply(la.op, lb.op, m, n, k, T(1), ra.data<T>() + batch_offset(i, batch, ra), la.ld,
               rb.data<T>() + batch_offset(i, batch, rb), lb.ld, T(0), out.data<T>() + i * m * n,
               n);
    };
    const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) *
                         static_cast<double>(std::max<std::int64_t>(k, 1));
    if (count == 1 || flops >= kLargeProduct) {
      for (std::int64_t i = 0; i < count; ++i)
        one(i, [](auto... x) { kernels::parallel_product(x...); });
    } else {
      const std::int64_t grain =
          std::max<std::int64_t>(1, static_cast<std::int64_t>(kChunkFlops / flops));
      parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
          one(i, [](auto... x) { kernels::product(x...); });
      });
    }
  });
  return out;
}

Shape leading_dims(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

void check_operands(const Tensor& a, const Tensor& b, const char* op) {
  if (a.dtype() != b.dtype())
    fail<DTypeError>(op, "operands of different dtypes: a {}, b {}; cast one", name(a.dtype()),
                     name(b.dtype()));
  if (!is_float(a.dtype())) fail<DTypeError>(op, "expects f32 or f64, got {}", name(a.dtype()));
}

Tensor gradient_of_a(const Tensor& g, const Tensor& b_transposed) {
  const ProductsAre role(ProductRole::input_gradient);
  return matmul(g, b_transposed);
}

/// (..., M, K) x (K, N) where a's leading dimensions fold into M: one tall product.
Tensor folded_matmul(const Tensor& a, const Tensor& b) {
  Shape shape(a.shape().begin(), a.shape().end() - 1);
  shape.push_back(b.size(1));
  Tensor out = raw::reshape(
      batched_product(raw::reshape(a, {a.numel() / a.size(-1), a.size(-1)}), b, {}), shape);
  const bool need_a = wants_grad(a), need_b = wants_grad(b);
  return record("matmul", std::move(out), {a, b},
                [=](const Tensor& g) -> Gradients {
                  Tensor da, db;
                  if (need_a) da = gradient_of_a(g, transpose(b, 0, 1));
                  const ProductsAre role(ProductRole::weight_gradient);
                  if (need_b)
                    db = matmul(transpose(reshape(a, {-1, a.size(-1)}), 0, 1),
                                reshape(g, {a.numel() / a.size(-1), b.size(1)}));
                  return {da, db};
                },
                {need_b ? &a : nullptr, need_a ? &b : nullptr});
}

/// Any operands of rank 2 and more.
Tensor matrix_product(const Tensor& a, const Tensor& b) {
  if (a.rank() > 2 && b.rank() == 2 && a.is_contiguous() && a.size(-1) > 0 && b.size(1) > 0)
    return folded_matmul(a, b);
  const Shape batch = broadcast_shapes(leading_dims(a.shape()), leading_dims(b.shape()), "matmul");
  Tensor out = batched_product(a, b, batch);
  const bool need_a = wants_grad(a), need_b = wants_grad(b);
  return record("matmul", std::move(out), {a, b},
                [=](const Tensor& g) -> Gradients {
                  Tensor da, db;
                  if (need_a) da = gradient_of_a(g, transpose(b, -1, -2));
                  const ProductsAre role(ProductRole::weight_gradient);
                  if (need_b) db = matmul(transpose(a, -1, -2), g);
                  return {da, db};
                },
                {need_b ? &a : nullptr, need_a ? &b : nullptr});
}

std::string shapes(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  std::string text = "x " + x.shape().str() + ", weight " + weight.shape().str();
  if (bias.defined()) text += ", bias " + bias.shape().str();
  return text;
}

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (x.rank() < 1 || weight.rank() != 2)
    fail<ShapeError>("linear", "x must have a last dimension and weight be (out, in): {}",
                     shapes(x, weight, bias));
  if (x.size(-1) != weight.size(1))
    fail<ShapeError>("linear", "the last dimension of x is not weight's second: {}",
                     shapes(x, weight, bias));
  if (bias.defined() && bias.shape() != Shape{weight.size(0)})
    fail<ShapeError>("linear", "bias must be (out,): {}", shapes(x, weight, bias));
  if (x.dtype() != weight.dtype() || (bias.defined() && bias.dtype() != x.dtype()))
    fail<DTypeError>("linear", "operands of different dtypes: x {}, weight {}, bias {}; cast one",
                     name(x.dtype()), name(weight.dtype()),
                     bias.defined() ? name(bias.dtype()) : "none");
  if (!is_float(x.dtype()))
    fail<DTypeError>("linear", "expects f32 or f64, got {}", name(x.dtype()));
}

/// x as rows that gemm reads: (N, I) with a row stride.
Tensor as_rows(const Tensor& x, std::int64_t rows, std::int64_t columns) {
  const Tensor flat = x.rank() == 2 ? x : raw::reshape(x, {rows, columns});
  const bool usable =
      (flat.strides()[1] == 1 || columns <= 1) && (flat.strides()[0] >= columns || rows <= 1);
  return usable ? flat : raw::contiguous(flat);
}

template <class T>
kernels::LinearArgs<T> linear_args(std::int64_t rows, const Tensor& x, const Tensor& weight) {
  const std::int64_t in = weight.size(1);
  const bool rounded = x.defined() && x.dtype() == DType::bf16;
  return {rows,
          in,
          weight.size(0),
          x.defined() && !rounded ? x.data<T>() : nullptr,
          rounded ? x.data<BFloat16>() : nullptr,
          std::max(!x.defined() || rows <= 1 ? in : x.strides()[0], std::int64_t{1}),
          weight.data<T>()};
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_operands(a, b, "matmul");
  if (a.rank() == 0 || b.rank() == 0)
    fail<ShapeError>("matmul", "operands must have at least one dimension: a {}, b {}; use mul",
                     a.shape().str(), b.shape().str());
  const std::int64_t inner_a = a.size(-1), inner_b = b.rank() == 1 ? b.size(0) : b.size(-2);
  if (inner_a != inner_b)
    fail<ShapeError>("matmul", "inner dimensions differ: a {}, b {}", a.shape().str(),
                     b.shape().str());
  if (a.rank() >= 2 && b.rank() >= 2) return matrix_product(a, b);
  // A vector is a matrix of one row or one column, whose dimension goes again.
  Tensor out =
      matrix_product(a.rank() == 1 ? unsqueeze(a, 0) : a, b.rank() == 1 ? unsqueeze(b, 1) : b);
  if (b.rank() == 1) out = squeeze(out, -1);
  return a.rank() == 1 ? squeeze(out, b.rank() == 1 ? -1 : -2) : out;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_linear(x, weight, bias);
  const std::int64_t in = weight.size(1), out_size = weight.size(0);
  Shape shape(x.shape().begin(), x.shape().end() - 1);
  const std::int64_t rows = shape.numel();
  shape.push_back(out_size);
  const Tensor flat = as_rows(x, rows, in), dense = raw::contiguous(weight);
  Tensor out = Tensor::empty(shape, x.dtype());
  const bool need_x = wants_grad(x), need_w = wants_grad(weight), need_b = wants_grad(bias);
  const SavedOperand saved = need_w ? SavedOperand(flat) : SavedOperand();
  product_made({.op = "linear", .m = rows, .n = out_size, .k = in});
  compute_float(x.dtype(), "linear", [&](auto zero) {
    using T = decltype(zero);
    const Tensor offsets = bias.defined() ? raw::contiguous(bias) : Tensor();
    kernels::linear_forward(linear_args<T>(rows, saved.rounded() ? saved.get() : flat, dense),
                            offsets.defined() ? offsets.data<T>() : nullptr, out.data<T>());
  });

  std::vector<Tensor> inputs{x, weight};
  if (bias.defined()) inputs.push_back(bias);
  const Shape x_shape = x.shape();
  std::function<Tensor()> definition;
  if (!saved.rounded())
    definition = [=] {
      const Tensor product = matmul(x, transpose(weight, 0, 1));
      return bias.defined() ? add(product, bias) : product;
    };
  return record_fused(
      "linear", std::move(out), std::move(inputs),
      [=, has_bias = bias.defined()](const Tensor& grad) -> Gradients {
        const Tensor g = raw::contiguous(grad);
        const Tensor dx = need_x ? Tensor::empty(x_shape, g.dtype()) : Tensor();
        const Tensor dw = need_w ? Tensor::empty({out_size, in}, g.dtype()) : Tensor();
        const Tensor db = need_b ? Tensor::empty({out_size}, g.dtype()) : Tensor();
        if (need_x) product_made({"linear", ProductRole::input_gradient, rows, in, out_size});
        if (need_w) product_made({"linear", ProductRole::weight_gradient, out_size, in, rows});
        compute_float(g.dtype(), "linear", [&](auto zero) {
          using T = decltype(zero);
          kernels::linear_backward(linear_args<T>(rows, saved.get(), dense), g.data<T>(),
                                   need_x ? dx.data<T>() : nullptr, need_w ? dw.data<T>() : nullptr,
                                   need_b ? db.data<T>() : nullptr);
        });
        return has_bias ? Gradients{dx, dw, db} : Gradients{dx, dw};
      },
      std::move(definition), {saved.watched(), need_x ? &dense : nullptr});
}

}  // namespace weft
