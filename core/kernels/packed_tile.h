// One task's part of a packed product.
#pragma once

#include <cstdint>

#include "core/kernels/packed_gemm.h"

namespace weft::kernels {

/// Rows [row, row + rows) and panels [begin, end) of C, from the cells [first, first + depth) of k,
/// `step` at a time. `strips` holds these of A; null: A is read in place. `panels` holds
/// panel_depth rows of B: all k, or just these.
struct PackedTile {
  const PackedGemm& product;
  const float* strips;
  const float* panels;
  std::int64_t panel_depth, first, depth, step, row, rows, begin, end;
};

}  // namespace weft::kernels
