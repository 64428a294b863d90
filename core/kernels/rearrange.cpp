#include "core/kernels/rearrange.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "core/parallel.h"

namespace weft::kernels {
namespace {

constexpr std::int64_t kGrainElements = 32768;
constexpr std::int64_t kBlock = 32;

struct Axis {
  std::int64_t size = 1;
  std::int64_t out = 0;
  std::int64_t in = 0;
};

/// The axes of a copy, outermost first.
struct Plan {
  std::array<Axis, Shape::kMaxRank + 1> axes;
  int rank = 0;

  Axis& back() { return axes[static_cast<std::size_t>(rank - 1)]; }
  Axis& operator[](int i) { return axes[static_cast<std::size_t>(i)]; }
  const Axis& operator[](int i) const { return axes[static_cast<std::size_t>(i)]; }
  void push(Axis axis) { axes[static_cast<std::size_t>(rank++)] = axis; }
  void erase(int i) {
    for (int j = i; j + 1 < rank; ++j) (*this)[j] = (*this)[j + 1];
    --rank;
  }
};

/// Drops axes of one element, orders the rest by the output's strides and joins those that both sides walk as one.
Plan simplify(const Shape& out_strides, const Shape& in_strides, const Shape& sizes) {
  Plan sorted;
  for (int i = 0; i < sizes.rank(); ++i)
    if (sizes[i] != 1) sorted.push({sizes[i], out_strides[i], in_strides[i]});
  std::stable_sort(sorted.axes.begin(), sorted.axes.begin() + sorted.rank,
                   [](const Axis& a, const Axis& b) { return std::abs(a.out) > std::abs(b.out); });
  Plan joined;
  for (int i = 0; i < sorted.rank; ++i) {
    const Axis next = sorted[i];
    if (joined.rank > 0 && joined.back().out == next.out * next.size && joined.back().in == next.in * next.size)
      joined.back() = {joined.back().size * next.size, next.out, next.in};
    else
      joined.push(next);
  }
  return joined;
}

/// Calls f(row, out offset, in offset) for every index of the first `outer` axes, in parallel.
template <class F>
void for_each_row(const Plan& plan, int outer, std::int64_t row_elements, const F& f) {
  std::int64_t rows = 1;
  for (int i = 0; i < outer; ++i) rows *= plan[i].size;
  parallel_for(rows, std::max<std::int64_t>(1, kGrainElements / std::max<std::int64_t>(1, row_elements)), [&](std::int64_t begin, std::int64_t end) {
    std::array<std::int64_t, Shape::kMaxRank + 1> index{};
    std::int64_t out = 0, in = 0, rest = begin;
    for (int i = outer - 1; i >= 0; --i) {
      index[static_cast<std::size_t>(i)] = rest % plan[i].size;
      rest /= plan[i].size;
      out += index[static_cast<std::size_t>(i)] * plan[i].out;
      in += index[static_cast<std::size_t>(i)] * plan[i].in;
    }
    for (std::int64_t row = begin; row < end; ++row) {
      f(row, out, in);
      for (int i = outer - 1; i >= 0; --i) {
        out += plan[i].out;
        in += plan[i].in;
        if (++index[static_cast<std::size_t>(i)] < plan[i].size) break;
        index[static_cast<std::size_t>(i)] = 0;
        out -= plan[i].size * plan[i].out;
        in -= plan[i].size * plan[i].in;
      }
    }
  });
}

template <class T>
void copy_run(T* out, std::int64_t out_stride, const T* in, std::int64_t in_stride, std::int64_t n) {
  if (out_stride == 1 && in_stride == 1) {
    if (n >= 16) std::memcpy(out, in, static_cast<std::size_t>(n) * sizeof(T));
    else for (std::int64_t i = 0; i < n; ++i) out[i] = in[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

template <class T>
void copy_typed(T* out, const T* in, Plan plan) {
  if (plan.rank == 0) {
    *out = *in;
    return;
  }
  const Axis inner = plan.back();
  if (plan.rank == 1) {
    parallel_for(inner.size, kGrainElements, [&](std::int64_t begin, std::int64_t end) {
      copy_run(out + begin * inner.out, inner.out, in + begin * inner.in, inner.in, end - begin);
    });
    return;
  }
  int across = -1;  // the axis that the input has innermost, when it is another one
  if (std::abs(inner.in) != 1)
    for (int i = 0; i + 1 < plan.rank; ++i)
      if (plan[i].in == 1 && plan[i].size >= 4) across = i;
  if (across < 0) {
    for_each_row(plan, plan.rank - 1, inner.size, [&](std::int64_t, std::int64_t to, std::int64_t from) {
      copy_run(out + to, inner.out, in + from, inner.in, inner.size);
    });
    return;
  }
  const Axis other = plan[across];
  const std::int64_t blocks = chunk_count(other.size, kBlock);
  plan.erase(across);
  plan.back() = {blocks, kBlock * other.out, kBlock * other.in};
  for_each_row(plan, plan.rank, kBlock * inner.size, [&](std::int64_t row, std::int64_t to, std::int64_t from) {
    const std::int64_t height = std::min(kBlock, other.size - row % blocks * kBlock);
    for (std::int64_t left = 0; left < inner.size; left += kBlock) {
      const std::int64_t width = std::min(kBlock, inner.size - left);
      for (std::int64_t i = 0; i < height; ++i) {
        T* const to_row = out + to + i * other.out + left * inner.out;
        const T* const from_row = in + from + i + left * inner.in;
        for (std::int64_t j = 0; j < width; ++j) to_row[j * inner.out] = from_row[j * inner.in];
      }
    }
  });
}

}  // namespace

void copy_strided(std::byte* out, const Shape& out_strides, const std::byte* in, const Shape& in_strides, const Shape& sizes, DType dtype) {
  if (sizes.numel() == 0) return;
  const Plan plan = simplify(out_strides, in_strides, sizes);
  dispatch_any(dtype, [&]<class T>(T) { copy_typed(reinterpret_cast<T*>(out), reinterpret_cast<const T*>(in), plan); });
}

}  // namespace weft::kernels
