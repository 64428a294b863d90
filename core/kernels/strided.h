// One loop nest for elementwise work on strided operands whose result is row-major.
#pragma once

#include <array>
#include <cstdint>

#include "core/parallel.h"
#include "core/shape.h"

namespace weft::kernels {

/// Elements that are worth a task of their own; also the longest piece of a row.
inline constexpr std::int64_t kElementwiseGrain = 16384;

/// The dimensions of N operands (strides in elements, 0 where broadcast), with dimensions of size 1
/// dropped and neighbors merged wherever every operand steps through both evenly. The result's
/// elements are rows x inner, in row-major order.
template <int N>
struct StridedLoop {
  using Offsets = std::array<std::int64_t, N>;

  int outer_rank = 0;
  std::array<std::int64_t, Shape::kMaxRank> outer_sizes{};
  std::array<std::array<std::int64_t, Shape::kMaxRank>, N> outer_strides{};
  std::int64_t rows = 1;
  std::int64_t inner = 1;
  Offsets inner_strides{};

  StridedLoop(const Shape& shape, const std::array<Shape, N>& strides) {
    int rank = 0;
    std::array<std::int64_t, Shape::kMaxRank> sizes{};
    std::array<std::array<std::int64_t, Shape::kMaxRank>, N> steps{};
    for (int dim = 0; dim < shape.rank(); ++dim) {
      if (shape[dim] == 1) continue;
      const auto merges = [&] {
        if (rank == 0) return false;
        for (int k = 0; k < N; ++k)
          if (steps[k][rank - 1] != strides[k][dim] * shape[dim]) return false;
        return true;
      };
      if (merges())
        sizes[rank - 1] *= shape[dim];
      else
        sizes[rank++] = shape[dim];
      for (int k = 0; k < N; ++k) steps[k][rank - 1] = strides[k][dim];
    }
    if (rank == 0) return;
    outer_rank = rank - 1;
    inner = sizes[outer_rank];
    for (int k = 0; k < N; ++k) inner_strides[k] = steps[k][outer_rank];
    outer_sizes = sizes;
    outer_strides = steps;
    for (int dim = 0; dim < outer_rank; ++dim) rows *= sizes[dim];
  }

  /// Where row `row` of each operand starts.
  Offsets row_offsets(std::int64_t row) const {
    Offsets offsets{};
    for (int dim = outer_rank - 1; dim > 0; --dim) {
      const std::int64_t index = row % outer_sizes[dim];
      row /= outer_sizes[dim];
      for (int k = 0; k < N; ++k) offsets[k] += index * outer_strides[k][dim];
    }
    if (outer_rank > 0)
      for (int k = 0; k < N; ++k) offsets[k] += row * outer_strides[k][0];
    return offsets;
  }

  /// Calls f(out_offset, offsets, n) for every run of n consecutive results, on several threads;
  /// cut by shape alone.
  template <class F>
  void for_each_run(F&& f) const {
    if (rows == 0 || inner == 0) return;
    const std::int64_t pieces = chunk_count(inner, kElementwiseGrain);
    const std::int64_t grain = pieces > 1 ? 1 : (kElementwiseGrain + inner - 1) / inner;
    parallel_for(rows * pieces, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t row = pieces == 1 ? item : item / pieces;
        const std::int64_t start = pieces == 1 ? 0 : (item % pieces) * kElementwiseGrain;
        const std::int64_t n =
            inner - start < kElementwiseGrain ? inner - start : kElementwiseGrain;
        Offsets offsets = row_offsets(row);
        for (int k = 0; k < N; ++k) offsets[k] += start * inner_strides[k];
        f(row * inner + start, offsets, n);
      }
    });
  }
};

}  // namespace weft::kernels
