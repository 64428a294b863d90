// Matrices in bfloat16 as the kernels move them: in cells of four bytes, as packing, strips and
// panels move f32.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// What a cell holds. f32: a number. split: a number rounded to bfloat16, the second of each pair
/// of terms before the first. pairs: both of a pair, as vdpbf16ps reads them, the first below.
enum class Cells : std::uint8_t { f32, split, pairs };

/// The cells that products in bfloat16 are made of here: pairs where the CPU has the instruction,
/// its sums are those of bf16_step() (bf16.h), and two multiply-adds take longer; split otherwise.
/// The bits are the same.
Cells bf16_cells();

/// Cells along k for `length` terms: pairs are whole, the missing term of the last one is 0.
constexpr std::int64_t cell_count(Cells cells, std::int64_t length) {
  return cells == Cells::f32 ? length : (length + 1) / 2 * (cells == Cells::split ? 2 : 1);
}

/// Where the terms of a matrix lie: `lines` of it, `line` apart, of `length` terms, `term` apart.
/// One of the two distances is 1.
struct Terms {
  const float* from;
  std::int64_t lines, line, length, term;
};

/// The matrix in cells, in the same order: terms side by side where `term` is 1, lines otherwise.
/// Lines are `stride` apart then, or cells of the same line. Serial.
void fill_cells(Cells cells, const Terms& terms, float* to, std::int64_t stride);
/// Without gaps, spread over threads.
void make_cells(Cells cells, const Terms& terms, float* to);

/// Each number rounded to bfloat16, spread over threads.
void round_to_bf16(const float* from, std::int64_t count, float* to);

/// Where one block of rows of C stands, and what its sums are added to: nothing (null), C itself,
/// or one row for all (base_row 0). A's element (r, p) is a[r * a_row + p * a_column].
struct BlockOperands {
  const float* a;
  std::int64_t a_row, a_column;
  float* c;
  std::int64_t ldc;
  const float* base;
  std::int64_t base_row;
};

/// C's rows (at most 6) and columns (at most 32), alpha times sums over `depth` cells of pairs, by
/// vdpbf16ps: row p of the panel, aligned to 64 bytes, begins at b + p * stride. Only where
/// bf16_cells() are pairs.
void multiply_pairs(std::int64_t rows, const BlockOperands& at, const float* b, std::int64_t stride,
                    std::int64_t depth, float alpha, std::int64_t columns);

}  // namespace weft::kernels
