// Matrix products of a layer's size: B is packed once for all tiles of C, where a library that is
// called tile by tile packs both operands anew for each; A is read where it lies, and C is written
// once, on top of a row of biases if need be. In f32 or in bfloat16, as core/precision.h says.
#pragma once

#include <cstdint>

#include "core/kernels/bf16_cells.h"

namespace weft::kernels {

/// C (m, n) = A B, k >= 1, plus `bias` (n,) in every row, or plus C when `accumulate`. A (m, k):
/// element (i, p) at a[i * a_row + p * a_column]. B (k, n) with row stride ldb, or stored (n, k).
struct PackedGemm {
  std::int64_t m = 0, n = 0, k = 0;
  Operand a{};  ///< in bf16 only where that is the precision
  std::int64_t a_row = 0, a_column = 0;
  Operand b{};
  std::int64_t ldb = 0;
  bool b_transposed = false;
  const float* bias = nullptr;
  bool accumulate = false;
  float* c = nullptr;
  std::int64_t ldc = 0;
};

/// Spread over threads in tiles cut by shape alone: the same bits for any number of them.
void packed_gemm(const PackedGemm& product);

/// Whether packed_gemm is the faster way, by shape alone: the product is neither tiny nor flat.
bool packed_gemm_pays(std::int64_t m, std::int64_t n, std::int64_t k);

}  // namespace weft::kernels
