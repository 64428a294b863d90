// One task's part of a packed product.
#pragma once

#include <cstdint>

#include "core/kernels/packed_gemm.h"

namespace weft::kernels {

/// Rows [row, row + rows) and panels [begin, end) of C, from one slice of the terms of its sums:
/// `depth` cells of each row of A and of each panel of B.
struct PackedTile {
  const PackedGemm& product;
  /// Block of rows i (of six) begins at a + i * block; cell (r, p) of it at r * row + p * column.
  const float* a;
  std::int64_t block, a_row, a_column;
  const float* panels;       ///< where the slice begins in panel 0
  std::int64_t panel_depth;  ///< cells from panel to panel
  bool first;                ///< of all slices
  std::int64_t depth, row, rows, begin, end;
};

}  // namespace weft::kernels
