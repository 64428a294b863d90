// A tile of a packed product, and the kernels that can multiply it.
#pragma once

#include <cstdint>

#include "core/kernels/packed_gemm.h"

namespace weft::kernels {

/// What a cell, the four bytes that are packed and moved, holds. f32: a number. split: a number
/// rounded to bfloat16, the second of each pair of terms before the first. pairs: both of a pair in
/// one cell, as vdpbf16ps reads them, the first below.
enum class Cells : std::uint8_t { f32, split, pairs };

/// Rows [row, row + rows) and panels [begin, end) of C, from the cells [first, first + depth) of k,
/// `step` at a time. `strips` holds these of A; null: A is read in place. `panels` holds
/// panel_depth rows of B: all k, or just these.
struct PackedTile {
  const PackedGemm& product;
  const float* strips;
  const float* panels;
  std::int64_t panel_depth, first, depth, step, row, rows, begin, end;
};

/// With the instruction vdpbf16ps, panels of 32 columns. bf16_pairs_work() says whether this
/// machine has it, and it does what emulation does.
void multiply_pairs(const PackedTile& tile);
bool bf16_pairs_work();

/// The cells of A or B: `lines` of it, each of `length` terms that are `term` apart, lines `line`
/// apart; `to` holds them in the same order (contiguous along terms where term is 1, along lines
/// otherwise). Spread over threads.
void make_cells(Cells cells, const float* from, std::int64_t lines, std::int64_t line,
                std::int64_t length, std::int64_t term, float* to);
/// Cells along k for `length` terms.
constexpr std::int64_t cell_count(Cells cells, std::int64_t length) {
  return cells == Cells::f32 ? length : (length + 1) / 2 * (cells == Cells::split ? 2 : 1);
}

}  // namespace weft::kernels
