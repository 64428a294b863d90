// Products of matrices too small for a library's: attention's tiles. C is written once, nothing is
// copied but panels of B, and the part of a tile that a causal mask hides is not computed. Serial:
// the caller owns the threads.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/kernels/bf16_cells.h"
#include "core/precision.h"

namespace weft::kernels {

/// What `visible[i]`, the number of columns that row i of a tile of scores sees (never falling with
/// i), says about a product.
enum class Cut : std::uint8_t {
  none,     ///< nothing
  columns,  ///< the result is the tile: row i is wanted in its first visible[i] columns; the others
            ///< may hold anything
  inner_end,    ///< the left operand is the tile: its row i is 0 from visible[i] on
  inner_begin,  ///< the left operand is the transposed tile: its row j is 0 before the first i with
                ///< visible[i] > j
};

/// Where a matrix of T begins: f32 may be there in bf16 instead.
template <class T>
using OperandOf = std::conditional_t<std::is_same_v<T, float>, Operand, const T*>;

/// C (m, n) = alpha A B, plus C when `accumulate`. A (m, k): element (i, p) at a[i * a_row + p *
/// a_column]. B (k, n) with row stride ldb, or stored (n, k).
template <class T>
struct TileGemm {
  std::int64_t m = 0, n = 0, k = 0;
  T alpha = 1;
  OperandOf<T> a{};  ///< in bf16 only where that is the precision
  std::int64_t a_row = 0, a_column = 0;
  OperandOf<T> b{};
  std::int64_t ldb = 0;
  bool b_transposed = false;
  bool accumulate = false;
  T* c = nullptr;
  std::int64_t ldc = 0;
  bool c_has_room =
      false;  ///< rows of C may be written up to the next multiple of kTilePadding columns
  Cut cut = Cut::none;
  const std::int64_t* visible =
      nullptr;  ///< one a row of the tile: m of them, or k for Cut::inner_begin
  Precision precision = Precision::f32;  ///< of f32 matrices
};

template <class T>
void tile_gemm(const TileGemm<T>& product);

}  // namespace weft::kernels
