#include "core/kernels/index.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/parallel.h"
#include "core/shape_only.h"

namespace weft::kernels {
namespace {

constexpr std::int64_t kGrainElements = 32768;
constexpr std::int64_t kColumns =
    64;  // columns a task adds up on its own: 256 bytes of f32, so that tasks share no cache line

std::int64_t grain_for(std::int64_t elements_each) {
  return std::max<std::int64_t>(1, kGrainElements / std::max<std::int64_t>(1, elements_each));
}

template <class T>
void add_run(T* out, const T* in, std::int64_t n) {
  constexpr std::int64_t kBlock =
      16;  // a fixed count is what the compiler turns into vector code at -O2
  std::int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    T block[kBlock];
    for (std::int64_t j = 0; j < kBlock; ++j) block[j] = out[i + j] + in[i + j];
    std::copy_n(block, kBlock, out + i);
  }
  for (; i < n; ++i) out[i] += in[i];
}

/// Tasks are (outer, block of columns): within one, a place of the output is reached in the order
/// of the index alone.
template <class T>
void add_rows_impl(T* out, const T* in, const std::int64_t* index, std::int64_t outer,
                   std::int64_t size, std::int64_t n, std::int64_t inner) {
  const std::int64_t blocks = chunk_count(inner, kColumns);
  parallel_for(outer * blocks, grain_for(n * std::min(inner, kColumns)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t column = task % blocks * kColumns,
                                      width = std::min(kColumns, inner - column);
                   T* const to = out + task / blocks * size * inner + column;
                   const T* const from = in + task / blocks * n * inner + column;
                   for (std::int64_t k = 0; k < n; ++k)
                     add_run(to + index[k] * inner, from + k * inner, width);
                 }
               });
}

template <class T>
void take_rows_impl(T* out, const T* in, const std::int64_t* index, std::int64_t outer,
                    std::int64_t size, std::int64_t n, std::int64_t inner) {
  parallel_for(outer * n, grain_for(inner), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* const from = in + (row / n * size + index[row % n]) * inner;
      if (inner == 1)
        out[row] = *from;
      else
        std::memcpy(out + row * inner, from, static_cast<std::size_t>(inner) * sizeof(T));
    }
  });
}

/// Walks an index of any rank: every task is one place in the dimensions other than `dim` and the
/// last, and a block of the last one. Two elements that meet in one place of the scattered side
/// differ in `dim` alone, so they always fall into the same task.
template <class F>
void walk(const Shape& shape, const Shape& strides, const Shape& index_strides,
          const Shape& packed_strides, int dim, const F& run_block) {
  constexpr std::int64_t kBlock = 256;
  const int last = shape.rank() - 1;
  const bool along_last = dim == last;
  const std::int64_t length = shape[dim], across = along_last ? 1 : shape[last];
  std::array<int, Shape::kMaxRank> others{};
  int count = 0;
  std::int64_t rows = 1;
  for (int i = 0; i < last; ++i) {
    if (i == dim) continue;
    others[static_cast<std::size_t>(count++)] = i;
    rows *= shape[i];
  }
  const std::int64_t blocks = chunk_count(across, kBlock);
  parallel_for(rows * blocks, grain_for(length * std::min(across, kBlock)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t column = task % blocks * kBlock,
                                      width = std::min(kBlock, across - column);
                   std::int64_t rest = task / blocks, base = 0, at_index = 0, at_packed = 0;
                   for (int i = count - 1; i >= 0; --i) {
                     const int axis = others[static_cast<std::size_t>(i)];
                     const std::int64_t place = rest % shape[axis];
                     rest /= shape[axis];
                     base += place * strides[axis];
                     at_index += place * index_strides[axis];
                     at_packed += place * packed_strides[axis];
                   }
                   if (!along_last)
                     base += column * strides[last], at_index += column,
                         at_packed += column * packed_strides[last];
                   run_block(base, at_index, at_packed, length, width);
                 }
               });
}

template <class T>
void gather_impl(T* out, const T* in, const Shape& in_strides, const std::int64_t* index,
                 const Shape& shape, int dim) {
  const int last = shape.rank() - 1;
  const Shape packed = shape.row_major_strides();
  const std::int64_t step = in_strides[dim], next = dim == last ? 0 : in_strides[last];
  walk(shape, in_strides, packed, packed, dim,
       [&](std::int64_t base, std::int64_t at, std::int64_t, std::int64_t length,
           std::int64_t width) {
         for (std::int64_t k = 0; k < length; ++k, at += packed[dim])
           for (std::int64_t j = 0; j < width; ++j)
             out[at + j] = in[base + index[at + j] * step + j * next];
       });
}

template <class T>
void scatter_add_impl(T* out, const Shape& out_strides, const T* in, const Shape& in_strides,
                      const std::int64_t* index, const Shape& shape, int dim) {
  const int last = shape.rank() - 1;
  const Shape packed = shape.row_major_strides();
  const std::int64_t step = out_strides[dim], next = dim == last ? 0 : out_strides[last],
                     in_next = in_strides[last];
  walk(shape, out_strides, packed, in_strides, dim,
       [&](std::int64_t base, std::int64_t at, std::int64_t from, std::int64_t length,
           std::int64_t width) {
         for (std::int64_t k = 0; k < length; ++k, at += packed[dim], from += in_strides[dim])
           for (std::int64_t j = 0; j < width; ++j)
             out[base + index[at + j] * step + j * next] += in[from + j * in_next];
       });
}

}  // namespace

std::int64_t find_bad_index(const std::int64_t* index, std::int64_t n, std::int64_t bound) {
  if (shape_only()) return -1;
  std::vector<std::int64_t> first(static_cast<std::size_t>(chunk_count(n, kGrainElements)), -1);
  parallel_for(n, kGrainElements, [&](std::int64_t begin, std::int64_t end) {
    const auto* const found = std::find_if(index + begin, index + end, [=](std::int64_t i) {
      return static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(bound);
    });
    if (found != index + end)
      first[static_cast<std::size_t>(begin / kGrainElements)] = found - index;
  });
  const auto found =
      std::find_if(first.begin(), first.end(), [](std::int64_t position) { return position >= 0; });
  return found == first.end() ? -1 : *found;
}

void take_rows(std::byte* out, const std::byte* in, const std::int64_t* index, std::int64_t outer,
               std::int64_t size, std::int64_t n, std::int64_t inner, DType dtype) {
  if (outer * n * inner == 0) return;
  compute_any(dtype, [&]<class T>(T) {
    take_rows_impl(reinterpret_cast<T*>(out), reinterpret_cast<const T*>(in), index, outer, size, n,
                   inner);
  });
}

template <class T>
void add_rows(T* out, const T* in, const std::int64_t* index, std::int64_t outer, std::int64_t size,
              std::int64_t n, std::int64_t inner) {
  add_rows_impl(out, in, index, outer, size, n, inner);
}

void gather(std::byte* out, const std::byte* in, const Shape& in_strides, const std::int64_t* index,
            const Shape& shape, int dim, DType dtype) {
  if (shape.numel() == 0) return;
  compute_any(dtype, [&]<class T>(T) {
    gather_impl(reinterpret_cast<T*>(out), reinterpret_cast<const T*>(in), in_strides, index, shape,
                dim);
  });
}

template <class T>
void scatter_add(T* out, const Shape& out_strides, const T* in, const Shape& in_strides,
                 const std::int64_t* index, const Shape& shape, int dim) {
  if (shape.numel() > 0) scatter_add_impl(out, out_strides, in, in_strides, index, shape, dim);
}

template void add_rows(float*, const float*, const std::int64_t*, std::int64_t, std::int64_t,
                       std::int64_t, std::int64_t);
template void add_rows(double*, const double*, const std::int64_t*, std::int64_t, std::int64_t,
                       std::int64_t, std::int64_t);
template void scatter_add(float*, const Shape&, const float*, const Shape&, const std::int64_t*,
                          const Shape&, int);
template void scatter_add(double*, const Shape&, const double*, const Shape&, const std::int64_t*,
                          const Shape&, int);

}  // namespace weft::kernels
