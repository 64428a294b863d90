#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/kernels/copy.h"
#include "core/parallel.h"
#include "core/shape_only.h"
#include "core/tensor.h"

namespace weft::raw {
namespace {

constexpr std::int64_t kGrain = 1 << 15;

/// Fills in a -1, and checks that the number of elements stays.
Shape resolve_shape(const Tensor& t, const Shape& wanted) {
  const auto refuse = [&] {
    fail<ShapeError>("reshape", "cannot turn {} into {}", t.shape().str(), wanted.str());
  };
  Shape shape = wanted;
  std::int64_t known = 1;
  int unknown = -1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1 && unknown < 0)
      unknown = i;
    else if (shape[i] < 0 || __builtin_mul_overflow(known, shape[i], &known))
      refuse();
  }
  if (unknown >= 0) {
    if (known == 0 || t.numel() % known != 0) refuse();
    shape[unknown] = t.numel() / known;
  } else if (known != t.numel()) {
    refuse();
  }
  return shape;
}

/// Strides that show the elements of `t` in `shape` without a copy, where there are any: each run
/// of dimensions that lie densely in memory can be cut anew, and a new size may not straddle two
/// runs.
std::optional<Shape> view_strides(const Tensor& t, const Shape& shape) {
  Shape strides = Shape::filled(shape.rank(), 1);
  int out = shape.rank() - 1;
  std::int64_t run = 1;      // elements of the run so far
  std::int64_t covered = 1;  // elements of it that new sizes have used
  std::int64_t base = 1;     // stride of the innermost dimension of the run
  bool open = false;
  for (int i = t.rank() - 1; i >= 0; --i) {
    if (t.shape()[i] == 1) continue;
    if (!open) base = t.strides()[i], open = true;
    run *= t.shape()[i];
    int next = i - 1;
    while (next >= 0 && t.shape()[next] == 1) --next;
    if (next >= 0 && t.strides()[next] == base * run) continue;
    while (out >= 0 && (covered < run || shape[out] == 1)) {
      strides[out] = base * covered;
      covered *= shape[out--];
    }
    if (covered != run) return std::nullopt;
    run = covered = 1;
    open = false;
  }
  for (; out >= 0; --out) {
    if (shape[out] != 1) return std::nullopt;
  }
  return strides;
}

}  // namespace

Tensor clone(const Tensor& t) {
  Tensor copy = Tensor::empty(t.shape(), t.dtype());
  kernels::copy_strided(t.shape(), copy.raw_data(), copy.dtype(), copy.strides(), t.raw_data(),
                        t.dtype(), t.strides());
  return copy;
}

Tensor contiguous(const Tensor& t) { return t.is_contiguous() ? t : clone(t); }

Tensor cast(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype) return t;
  Tensor copy = Tensor::empty(t.shape(), dtype);
  kernels::copy_strided(t.shape(), copy.raw_data(), dtype, copy.strides(), t.raw_data(), t.dtype(),
                        t.strides());
  return copy;
}

Tensor expand(const Tensor& t, const Shape& shape) {
  if (t.shape() == shape) return t;
  if (!broadcasts_to(t.shape(), shape))
    fail<ShapeError>("expand", "{} does not broadcast to {}", t.shape().str(), shape.str());
  Shape strides = Shape::filled(shape.rank(), 0);
  const int added = shape.rank() - t.rank();
  for (int i = 0; i < t.rank(); ++i)
    strides[i + added] = t.shape()[i] == shape[i + added] ? t.strides()[i] : 0;
  return t.as_strided(shape, strides);
}

Tensor reshape(const Tensor& t, const Shape& wanted) {
  const Shape shape = resolve_shape(t, wanted);
  if (shape == t.shape()) return t;
  if (t.is_contiguous()) return t.as_strided(shape, shape.row_major_strides());
  if (const auto strides = view_strides(t, shape)) return t.as_strided(shape, *strides);
  const Tensor copy = clone(t);
  return copy.as_strided(shape, shape.row_major_strides());
}

Tensor permute(const Tensor& t, const Shape& order) {
  bool valid = order.rank() == t.rank();
  Shape seen = Shape::filled(t.rank(), 0);
  Shape shape = t.shape();
  Shape strides = t.strides();
  for (int i = 0; valid && i < order.rank(); ++i) {
    const int from = normalize_dim(order[i], t.rank(), "permute");
    valid = ++seen[from] == 1;
    shape[i] = t.shape()[from];
    strides[i] = t.strides()[from];
  }
  if (!valid)
    fail<ShapeError>("permute", "{} is not a permutation of the dimensions of {}", order.str(),
                     t.shape().str());
  return t.as_strided(shape, strides);
}

Tensor transpose(const Tensor& t, std::int64_t dim0, std::int64_t dim1) {
  const int a = normalize_dim(dim0, t.rank(), "transpose");
  const int b = normalize_dim(dim1, t.rank(), "transpose");
  Shape shape = t.shape();
  Shape strides = t.strides();
  std::swap(shape[a], shape[b]);
  std::swap(strides[a], strides[b]);
  return t.as_strided(shape, strides);
}

Tensor slice(const Tensor& t, std::int64_t dim, std::int64_t begin, std::int64_t end,
             std::int64_t step) {
  const int d = normalize_dim(dim, t.rank(), "slice");
  const std::int64_t size = t.shape()[d];
  if (begin < 0 || begin > end || end > size || step < 1)
    fail<IndexError>(
        "slice",
        "{}:{}:{} does not fit dimension {} of {}; expects 0 <= begin <= end <= {}, step >= 1",
        begin, end, step, d, t.shape().str(), size);
  Shape shape = t.shape();
  Shape strides = t.strides();
  shape[d] = chunk_count(end - begin, std::min(step, std::max<std::int64_t>(size, 1)));
  if (shape[d] > 1) strides[d] *= step;
  return t.as_strided(shape, strides, begin * t.strides()[d]);
}

Tensor unexpanded(const Tensor& t) {
  Shape shape = t.shape();
  for (int i = 0; i < t.rank(); ++i)
    if (t.strides()[i] == 0 && shape[i] > 1) shape[i] = 1;
  return shape == t.shape() ? t : t.as_strided(shape, t.strides());
}

void add_scaled(const Tensor& target, const Tensor& source, double alpha) {
  if (target.shape() != source.shape())
    fail<ShapeError>("add_scaled", "shapes differ: target {}, source {}", target.shape().str(),
                     source.shape().str());
  if (target.dtype() != source.dtype())
    fail<DTypeError>("add_scaled", "dtypes differ: target {}, source {}", name(target.dtype()),
                     name(source.dtype()));
  if (overlaps_itself(target))
    fail<ShapeError>("add_scaled",
                     "elements of the target share memory: {} with strides {}; copy it first",
                     target.shape().str(), target.strides().str());
  // The very same elements go one by one; any other overlap would read what was already changed.
  const bool same = target.raw_data() == source.raw_data() && target.strides() == source.strides();
  const Tensor from = !same && overlaps(target, source) ? clone(source) : contiguous(source);
  const Tensor into = contiguous(target);
  target.bump_version();
  compute_float(target.dtype(), "add_scaled", [&](auto zero) {
    using T = decltype(zero);
    T* out = into.data<T>();
    const T* in = from.data<T>();
    const T scale = static_cast<T>(alpha);
    parallel_for(into.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      std::int64_t i = begin;
      constexpr std::int64_t kBlock =
          16;  // a fixed count is what the compiler turns into vector code at -O2
      for (; i + kBlock <= end; i += kBlock) {
        T block[kBlock];
        for (std::int64_t j = 0; j < kBlock; ++j) block[j] = out[i + j] + scale * in[i + j];
        std::copy_n(block, kBlock, out + i);
      }
      for (; i < end; ++i) out[i] += scale * in[i];
    });
  });
  if (!target.is_contiguous()) target.copy_from(into);
}

std::int64_t find_nonfinite(const Tensor& t) {
  if (!is_float(t.dtype()) || shape_only()) return -1;
  const Tensor own = unexpanded(t), values = contiguous(own);
  const std::int64_t place = dispatch_float(t.dtype(), "find_nonfinite", [&](auto zero) {
    using T = decltype(zero);
    const T* in = values.data<T>();
    std::vector<std::int64_t> first(static_cast<std::size_t>(chunk_count(values.numel(), kGrain)),
                                    -1);
    parallel_for(values.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      const T* found =
          std::find_if_not(in + begin, in + end, [](T value) { return std::isfinite(value); });
      if (found != in + end) first[static_cast<std::size_t>(begin / kGrain)] = found - in;
    });
    const auto found =
        std::find_if(first.begin(), first.end(), [](std::int64_t index) { return index >= 0; });
    return found == first.end() ? std::int64_t{-1} : *found;
  });
  if (place < 0 || own.shape() == t.shape()) return place;
  std::int64_t result = 0, rest = place,
               step = 1;  // the same index where the stretched dimensions have their full size
  for (int d = t.rank() - 1; d >= 0; --d) {
    result += rest % own.shape()[d] * step;
    rest /= own.shape()[d];
    step *= t.shape()[d];
  }
  return result;
}

}  // namespace weft::raw
