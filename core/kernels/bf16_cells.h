// Matrices in bfloat16 as the kernels move them: in cells of four bytes, as packing, strips and
// panels move f32.
#pragma once

#include <cstdint>

#include "core/bfloat16.h"

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

/// Where a matrix begins: in f32, or in bfloat16 as round_operand() makes it.
struct Operand {
  const float* f32 = nullptr;
  const BFloat16* bf16 = nullptr;

  Operand() = default;
  Operand(const float* from) : f32(from) {}
  Operand(const BFloat16* from) : bf16(from) {}
  /// From another element on.
  Operand operator+(std::int64_t elements) const {
    return f32 ? Operand(f32 + elements) : Operand(bf16 + elements);
  }
};

/// `lines` of a matrix, `line` apart, of `length` terms side by side, in cells; lines are `stride`
/// apart then. Serial, as the next.
void cells_along(Cells cells, Operand from, std::int64_t lines, std::int64_t line,
                 std::int64_t length, float* to, std::int64_t stride);
/// The same where lines lie side by side, and `length` terms of them `term` apart: so do cells,
/// those of a line `stride` apart.
void cells_across(Cells cells, Operand from, std::int64_t lines, std::int64_t length,
                  std::int64_t term, float* to, std::int64_t stride);

/// Each number as products read it (bf16.h's to_bf16()), spread over threads.
void round_operand(const float* from, std::int64_t count, BFloat16* to);
/// Each number rounded to bfloat16, spread over threads.
void round_to_bf16(const float* from, std::int64_t count, float* to);

/// Elements of tensors to bfloat16, with BFloat16's rounding, and back. Serial.
void copy_bf16_row(const float* from, std::int64_t count, BFloat16* to);
void copy_bf16_row(const BFloat16* from, std::int64_t count, float* to);

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

/// cells_along(), cells_across() and round_operand() of f32 with AVX512_BF16, serial. Only where
/// bf16_conversions() says that they work.
bool bf16_conversions();
/// Whether AVX-512 is the instruction set in use (core/simd.h).
bool avx3_in_use();
void instruction_along(const float* from, std::int64_t lines, std::int64_t line,
                       std::int64_t length, bool split, float* to, std::int64_t stride);
void instruction_across(const float* from, std::int64_t lines, std::int64_t length,
                        std::int64_t term, bool split, float* to, std::int64_t stride);
void instruction_round(const float* from, std::int64_t count, BFloat16* to);

/// C's rows (at most 6) and columns (at most 32), alpha times sums over `depth` cells of pairs, by
/// vdpbf16ps: row p of the panel, aligned to 64 bytes, begins at b + p * stride. Only where
/// bf16_cells() are pairs.
void multiply_pairs(std::int64_t rows, const BlockOperands& at, const float* b, std::int64_t stride,
                    std::int64_t depth, float alpha, std::int64_t columns);

}  // namespace weft::kernels
