#include "autograd/ops/shape_ops.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "autograd/autograd.h"
#include "autograd/ops/reduce.h"
#include "core/kernels/copy.h"

namespace weft {
namespace {

/// A handle that shares the elements of `view` but not its place in the graph: `raw` views may
/// return their argument itself.
Tensor fresh(const Tensor& view) { return view.as_strided(view.shape(), view.strides()); }

/// Elements of `from` to the places of `to`, which is a view into a tensor being made.
void copy_into(const Tensor& to, const Tensor& from) {
  kernels::copy_strided(to.shape(), to.raw_data(), to.dtype(), to.strides(), from.raw_data(),
                        from.dtype(), from.strides());
}

std::int64_t python_index(std::int64_t index, std::int64_t size) {
  return std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size);
}

/// The transpose of slice: g at dim's positions begin, begin + step, ... of a tensor of zeros of
/// `shape`.
Tensor unslice(const Tensor& g, const Shape& shape, int dim, std::int64_t begin,
               std::int64_t step) {
  Tensor out = Tensor::zeros(shape, g.dtype());
  const std::int64_t end = begin + (g.shape()[dim] == 0 ? 0 : (g.shape()[dim] - 1) * step + 1);
  copy_into(raw::slice(out, dim, begin, end, step), g);
  return record("slice_backward", out, {g},
                [=](const Tensor& gg) -> Gradients { return {slice(gg, dim, begin, end, step)}; });
}

int new_dim(std::int64_t dim, int rank, const char* op) { return normalize_dim(dim, rank + 1, op); }

Tensor unsqueezed_view(const Tensor& x, int dim) {
  Shape shape = x.shape(), strides = x.strides();
  const std::int64_t stride =
      dim < x.rank() ? std::max<std::int64_t>(shape[dim], 1) * strides[dim] : 1;
  shape.insert(dim, 1);
  strides.insert(dim, stride);
  return x.as_strided(shape, strides);
}

void check_same_dtypes(const char* op, const std::vector<Tensor>& tensors) {
  if (tensors.empty()) fail<ConfigError>(op, "needs at least one tensor");
  for (std::size_t i = 1; i < tensors.size(); ++i)
    if (tensors[i].dtype() != tensors[0].dtype())
      fail<DTypeError>(op, "tensor {} is {}, tensor 0 is {}; cast one of them", i,
                       name(tensors[i].dtype()), name(tensors[0].dtype()));
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  return record("reshape", fresh(raw::reshape(x, shape)), {x},
                [from = x.shape()](const Tensor& g) -> Gradients { return {reshape(g, from)}; });
}

Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b) {
  const int first = normalize_dim(a, x.rank(), "transpose"),
            second = normalize_dim(b, x.rank(), "transpose");
  return record("transpose", fresh(raw::transpose(x, first, second)), {x},
                [=](const Tensor& g) -> Gradients { return {transpose(g, first, second)}; });
}

Tensor permute(const Tensor& x, const Shape& order) {
  const int rank = x.rank();
  Shape forward = order, inverse = Shape::filled(rank, -1);
  bool valid = order.rank() == rank;
  for (int i = 0; valid && i < rank; ++i) {
    if (forward[i] < 0) forward[i] += rank;
    valid = forward[i] >= 0 && forward[i] < rank && inverse[static_cast<int>(forward[i])] < 0;
    if (valid) inverse[static_cast<int>(forward[i])] = i;
  }
  if (!valid)
    fail<ShapeError>("permute", "order {} is not a permutation of the {} dimensions of {}",
                     order.str(), rank, x.shape().str());
  return record("permute", fresh(raw::permute(x, forward)), {x},
                [inverse](const Tensor& g) -> Gradients { return {permute(g, inverse)}; });
}

Tensor expand(const Tensor& x, const Shape& shape) {
  if (!broadcasts_to(x.shape(), shape))
    fail<ShapeError>("expand", "{} does not broadcast to {}", x.shape().str(), shape.str());
  return record("expand", fresh(raw::expand(x, shape)), {x},
                [from = x.shape()](const Tensor& g) -> Gradients { return {sum_to(g, from)}; });
}

Tensor unsqueeze(const Tensor& x, std::int64_t dim) {
  const int at = new_dim(dim, x.rank(), "unsqueeze");
  return record("unsqueeze", unsqueezed_view(x, at), {x},
                [at](const Tensor& g) -> Gradients { return {squeeze(g, at)}; });
}

Tensor squeeze(const Tensor& x, std::int64_t dim) {
  const int at = normalize_dim(dim, x.rank(), "squeeze");
  if (x.shape()[at] != 1)
    fail<ShapeError>("squeeze", "dimension {} of {} has size {}, not 1", at, x.shape().str(),
                     x.shape()[at]);
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(at);
  strides.erase(at);
  return record("squeeze", x.as_strided(shape, strides), {x},
                [at](const Tensor& g) -> Gradients { return {unsqueeze(g, at)}; });
}

Tensor slice(const Tensor& x, std::int64_t dim, std::int64_t begin, std::int64_t end,
             std::int64_t step) {
  const int at = normalize_dim(dim, x.rank(), "slice");
  if (step < 1) fail<ConfigError>("slice", "step must be at least 1, got {}", step);
  const std::int64_t size = x.shape()[at];
  const std::int64_t from = python_index(begin, size), to = std::max(from, python_index(end, size));
  const std::int64_t stride = std::min(
      step, std::max<std::int64_t>(size, 1));  // a longer step reaches no second element either
  return record("slice", fresh(raw::slice(x, at, from, to, stride)), {x},
                [=, shape = x.shape()](const Tensor& g) -> Gradients {
                  return {unslice(g, shape, at, from, stride)};
                });
}

Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index) {
  const int at = normalize_dim(dim, x.rank(), "select");
  const std::int64_t size = x.shape()[at];
  if (index < -size || index >= size)
    fail<IndexError>("select", "index {} is out of range for dimension {} of {}", index, at,
                     x.shape().str());
  const std::int64_t from = index < 0 ? index + size : index;
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(at);
  strides.erase(at);
  return record("select", x.as_strided(shape, strides, from * x.strides()[at]), {x},
                [=, whole = x.shape()](const Tensor& g) -> Gradients {
                  return {unslice(unsqueeze(g, at), whole, at, from, 1)};
                });
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes,
                          std::int64_t dim) {
  const int at = normalize_dim(dim, x.rank(), "split");
  std::int64_t left = x.shape()[at];
  bool valid = true;
  for (const std::int64_t size : sizes) {
    valid = valid && size >= 0 && size <= left;
    if (valid) left -= size;
  }
  if (!valid || left != 0) {
    std::string list;
    for (const std::int64_t size : sizes)
      list += fmt::format("{}{}", list.empty() ? "" : ", ", size);
    fail<ShapeError>("split", "sizes [{}] must be at least 0 and sum to {}, dimension {} of {}",
                     list, x.shape()[at], at, x.shape().str());
  }
  if (sizes.empty()) return {};
  std::vector<Tensor> pieces;
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    pieces.push_back(fresh(raw::slice(x, at, begin, begin + size)));
    begin += size;
  }
  return record_multi("split", std::move(pieces), {x},
                      [=, shape = x.shape()](const std::vector<Tensor>& grads) -> Gradients {
                        const auto known =
                            std::find_if(grads.begin(), grads.end(),
                                         [](const Tensor& g) { return g.defined(); });
                        std::vector<Tensor> parts = grads;
                        for (std::size_t i = 0; i < parts.size(); ++i) {
                          if (parts[i].defined()) continue;
                          Shape part = shape;
                          part[at] = sizes[i];
                          parts[i] = expand(Tensor::zeros({}, known->dtype()), part);
                        }
                        return {cat(parts, at)};
                      });
}

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim) {
  check_same_dtypes("cat", tensors);
  const int at = normalize_dim(dim, tensors[0].rank(), "cat");
  Shape shape = tensors[0].shape();
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Shape expected = tensors[0].shape();
    if (tensors[i].rank() == expected.rank()) expected[at] = tensors[i].shape()[at];
    if (tensors[i].shape() != expected)
      fail<ShapeError>("cat", "tensor {} {} differs from tensor 0 {} outside dimension {}", i,
                       tensors[i].shape().str(), tensors[0].shape().str(), at);
    sizes.push_back(expected[at]);
  }
  shape[at] = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  Tensor out = Tensor::empty(shape, tensors[0].dtype());
  std::int64_t begin = 0;
  std::vector<bool> wanted;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    copy_into(raw::slice(out, at, begin, begin + sizes[i]), tensors[i]);
    begin += sizes[i];
    wanted.push_back(wants_grad(tensors[i]));
  }
  return record("cat", out, tensors, [=](const Tensor& g) {
    Gradients grads(sizes.size());
    std::int64_t from = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (wanted[i]) grads[i] = slice(g, at, from, from + sizes[i]);
      from += sizes[i];
    }
    return grads;
  });
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim) {
  check_same_dtypes("stack", tensors);
  const int at = new_dim(dim, tensors[0].rank(), "stack");
  for (std::size_t i = 1; i < tensors.size(); ++i)
    if (tensors[i].shape() != tensors[0].shape())
      fail<ShapeError>("stack", "tensor {} {} differs from tensor 0 {}; all shapes must be equal",
                       i, tensors[i].shape().str(), tensors[0].shape().str());
  Shape shape = tensors[0].shape();
  shape.insert(at, static_cast<std::int64_t>(tensors.size()));
  Tensor out = Tensor::empty(shape, tensors[0].dtype());
  std::vector<bool> wanted;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    copy_into(raw::slice(out, at, place, place + 1), unsqueezed_view(tensors[i], at));
    wanted.push_back(wants_grad(tensors[i]));
  }
  return record("stack", out, tensors, [=](const Tensor& g) {
    Gradients grads(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (wanted[i]) grads[i] = select(g, at, static_cast<std::int64_t>(i));
    return grads;
  });
}

Tensor pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 60;
  if (widths.size() % 2 != 0)
    fail<ShapeError>("pad", "widths come in pairs (before, after), got {} numbers", widths.size());
  if (widths.size() / 2 > static_cast<std::size_t>(x.rank()))
    fail<ShapeError>("pad", "widths for {} dimensions, but x {} has {}", widths.size() / 2,
                     x.shape().str(), x.rank());
  Shape shape = x.shape();
  Tensor inside = x;
  std::vector<std::int64_t> inverse;
  bool grows = false;
  for (std::size_t i = 0; i < widths.size() / 2; ++i) {
    const int dim = x.rank() - 1 - static_cast<int>(i);
    const std::int64_t before = widths[2 * i], after = widths[2 * i + 1], size = x.shape()[dim];
    const auto possible = [](std::int64_t width) {
      return width >= -kLargest && width <= kLargest;
    };
    if (!possible(before) || !possible(after) || size + before + after < 0 ||
        size + std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0) < 0)
      fail<ShapeError>("pad", "widths ({}, {}) do not fit dimension {} of {}", before, after, dim,
                       x.shape().str());
    shape[dim] = size + before + after;
    inside = raw::slice(inside, dim, std::max<std::int64_t>(-before, 0),
                        size - std::max<std::int64_t>(-after, 0));
    inverse.insert(inverse.end(), {-before, -after});
    grows = grows || before > 0 || after > 0;
  }
  Tensor out = grows ? Tensor::full(shape, value, x.dtype()) : Tensor::empty(shape, x.dtype());
  Tensor middle = out;
  for (std::size_t i = 0; i < widths.size() / 2; ++i) {
    const int dim = x.rank() - 1 - static_cast<int>(i);
    const std::int64_t begin = std::max<std::int64_t>(widths[2 * i], 0);
    middle = raw::slice(middle, dim, begin, begin + inside.shape()[dim]);
  }
  copy_into(middle, inside);
  return record("pad", out, {x},
                [inverse](const Tensor& g) -> Gradients { return {pad(g, inverse)}; });
}

Tensor flip(const Tensor& x, const Dims& dims) {
  Shape strides = x.strides();
  std::int64_t offset = 0;
  std::array<bool, Shape::kMaxRank> seen{};
  for (const std::int64_t dim : dims) {
    const int at = normalize_dim(dim, x.rank(), "flip");
    if (std::exchange(seen[static_cast<std::size_t>(at)], true))
      fail<IndexError>("flip", "dimension {} is given twice", at);
    offset += std::max<std::int64_t>(x.shape()[at] - 1, 0) * strides[at];
    strides[at] = -strides[at];
  }
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  kernels::copy_strided(x.shape(), out.raw_data(), out.dtype(), out.strides(),
                        x.raw_data() + offset * item_size(x.dtype()), x.dtype(), strides);
  return record("flip", out, {x}, [dims](const Tensor& g) -> Gradients { return {flip(g, dims)}; });
}

Tensor roll(const Tensor& x, std::int64_t shift, std::int64_t dim) {
  const int at = normalize_dim(dim, x.rank(), "roll");
  const std::int64_t size = x.shape()[at];
  const std::int64_t forward = size == 0 ? 0 : (shift % size + size) % size;
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  copy_into(raw::slice(out, at, forward, size), raw::slice(x, at, 0, size - forward));
  copy_into(raw::slice(out, at, 0, forward), raw::slice(x, at, size - forward, size));
  return record("roll", out, {x},
                [=](const Tensor& g) -> Gradients { return {roll(g, -forward, at)}; });
}

}  // namespace weft
