#include "autograd/ops/indexing.h"

#include <string>

#include "autograd/autograd.h"
#include "autograd/ops/shape_ops.h"
#include "core/kernels/index.h"
#include "core/shape_only.h"

namespace weft {
namespace {

/// `(0, 3)` for the 3rd element of a tensor of 5 columns.
std::string place(std::int64_t position, const Shape& shape) {
  Shape index = Shape::filled(shape.rank(), 0);
  for (int i = shape.rank() - 1; i >= 0; --i) {
    index[i] = position % shape[i];
    position /= shape[i];
  }
  return index.str();
}

/// The indices as row-major i64.
Tensor as_i64(const Tensor& index, const char* op) {
  dispatch_index(index.dtype(), op, [](auto) {});
  return raw::contiguous(raw::cast(index, DType::i64));
}

void check_range(const char* op, const Tensor& index, const Shape& shape, int dim) {
  const std::int64_t bad =
      kernels::find_bad_index(index.data<std::int64_t>(), index.numel(), shape[dim]);
  if (bad < 0) return;
  fail<IndexError>(op, "index {} at {} is out of range for dimension {} of {}",
                   index.data<std::int64_t>()[bad], place(bad, index.shape()), dim, shape.str());
}

/// Sizes before, at and after a dimension.
struct AxisSplit {
  std::int64_t outer = 1, size = 1, inner = 1;
};

AxisSplit around(const Shape& shape, int dim) {
  AxisSplit a;
  for (int i = 0; i < dim; ++i) a.outer *= shape[i];
  for (int i = dim + 1; i < shape.rank(); ++i) a.inner *= shape[i];
  a.size = shape[dim];
  return a;
}

Tensor add_rows(const Tensor& g, const Tensor& index, const Shape& shape, int dim);

/// Rows of x (already checked) along dim.
Tensor take_rows(const char* op, const Tensor& x, const Tensor& index, int dim) {
  const Tensor from = raw::contiguous(x);
  Shape shape = x.shape();
  const AxisSplit a = around(shape, dim);
  shape[dim] = index.numel();
  Tensor out = Tensor::empty(shape, x.dtype());
  kernels::take_rows(out.raw_data(), from.raw_data(), index.data<std::int64_t>(), a.outer, a.size,
                     index.numel(), a.inner, x.dtype());
  return record(op, out, {x},
                [=, whole = x.shape()](const Tensor& g) -> Gradients {
                  return {add_rows(g, index, whole, dim)};
                },
                {&index});
}

/// The transpose of take_rows: rows of g added at index along dim of zeros of `shape`; each is the
/// other's gradient.
Tensor add_rows(const Tensor& g, const Tensor& index, const Shape& shape, int dim) {
  const Tensor from = raw::contiguous(g);
  const AxisSplit a = around(shape, dim);
  Tensor out = Tensor::zeros(shape, g.dtype());
  compute_float(g.dtype(), "add_rows", [&]<class T>(T) {
    kernels::add_rows(out.data<T>(), from.data<T>(), index.data<std::int64_t>(), a.outer, a.size,
                      index.numel(), a.inner);
  });
  return record(
      "add_rows", out, {g},
      [=](const Tensor& gg) -> Gradients { return {take_rows("index_select", gg, index, dim)}; },
      {&index});
}

void check_index_fits(const char* op, const Shape& x, const Shape& index, int dim) {
  bool fits = x.rank() == index.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = i == dim || index[i] <= x[i];
  if (!fits)
    fail<ShapeError>(
        op,
        "index {} does not fit x {}: same number of dimensions, and none but dimension {} larger",
        index.str(), x.str(), dim);
}

}  // namespace

Tensor embedding(const Tensor& weight, const Tensor& ids) {
  if (weight.rank() != 2)
    fail<ShapeError>("embedding", "weight {} must have 2 dimensions (rows, columns)",
                     weight.shape().str());
  const Tensor index = as_i64(ids, "embedding");
  const std::int64_t rows = weight.shape()[0];
  if (const std::int64_t bad =
          kernels::find_bad_index(index.data<std::int64_t>(), index.numel(), rows);
      bad >= 0)
    fail<IndexError>("embedding", "id {} at {} is out of range for {} rows",
                     index.data<std::int64_t>()[bad], place(bad, ids.shape()), rows);
  const Tensor from = raw::contiguous(weight);
  Shape shape = ids.shape();
  shape.push_back(weight.shape()[1]);
  Tensor out = Tensor::empty(shape, weight.dtype());
  kernels::take_rows(out.raw_data(), from.raw_data(), index.data<std::int64_t>(), 1, rows,
                     index.numel(), weight.shape()[1], weight.dtype());
  return record("embedding", out, {weight},
                [index, table = weight.shape()](const Tensor& g) -> Gradients {
                  return {add_rows(reshape(g, {index.numel(), table[1]}), index, table, 0)};
                },
                {&index});
}

Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index) {
  const int at = normalize_dim(dim, x.rank(), "index_select");
  if (index.rank() != 1)
    fail<ShapeError>("index_select", "index {} must have 1 dimension", index.shape().str());
  const Tensor rows = as_i64(index, "index_select");
  check_range("index_select", rows, x.shape(), at);
  return take_rows("index_select", x, rows, at);
}

Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index) {
  const int at = normalize_dim(dim, x.rank(), "gather");
  check_index_fits("gather", x.shape(), index.shape(), at);
  const Tensor from = as_i64(index, "gather");
  check_range("gather", from, x.shape(), at);
  Tensor out = Tensor::empty(index.shape(), x.dtype());
  kernels::gather(out.raw_data(), x.raw_data(), x.strides(), from.data<std::int64_t>(),
                  index.shape(), at, x.dtype());
  return record("gather", out, {x},
                [=, shape = x.shape()](const Tensor& g) -> Gradients {
                  return {scatter_add(Tensor::zeros(shape, g.dtype()), at, from, g)};
                },
                {&from});
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t dim) {
  const int at = normalize_dim(dim, x.rank(), "take_along_dim");
  if (index.rank() != x.rank())
    fail<ShapeError>("take_along_dim", "index {} and x {} must have the same number of dimensions",
                     index.shape().str(), x.shape().str());
  Shape source = x.shape(), places = index.shape();
  source[at] = places[at] = 1;
  source = places = broadcast_shapes(source, places, "take_along_dim");
  source[at] = x.shape()[at];
  places[at] = index.shape()[at];
  const Tensor from = as_i64(index, "take_along_dim");
  check_range("take_along_dim", from, x.shape(), at);
  return gather(source == x.shape() ? x : expand(x, source), at, raw::expand(from, places));
}

Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source) {
  const int at = normalize_dim(dim, x.rank(), "scatter_add");
  if (index.shape() != source.shape())
    fail<ShapeError>("scatter_add", "index {} and source {} must have the same shape",
                     index.shape().str(), source.shape().str());
  if (x.dtype() != source.dtype())
    fail<DTypeError>("scatter_add", "x is {}, source {}; cast one of them", name(x.dtype()),
                     name(source.dtype()));
  check_index_fits("scatter_add", x.shape(), index.shape(), at);
  const Tensor to = as_i64(index, "scatter_add");
  check_range("scatter_add", to, x.shape(), at);
  Tensor out = raw::clone(x);
  compute_float(x.dtype(), "scatter_add", [&]<class T>(T) {
    kernels::scatter_add(out.data<T>(), out.strides(), source.data<T>(), source.strides(),
                         to.data<std::int64_t>(), index.shape(), at);
  });
  const bool need_x = wants_grad(x), need_source = wants_grad(source);
  return record("scatter_add", out, {x, source},
                [=](const Tensor& g) -> Gradients {
                  return {need_x ? g : Tensor(), need_source ? gather(g, at, to) : Tensor()};
                },
                {need_source ? &to : nullptr});
}

}  // namespace weft
