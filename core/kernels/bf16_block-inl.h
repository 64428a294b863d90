// A block of C from cells of any kind (bf16_cells.h): gemm_block-inl.h's for f32, and what has the
// bits of AVX512_BF16 for bfloat16. Included once an instruction set, so the guard toggles.
#if defined(WEFT_CORE_KERNELS_BF16_BLOCK_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_CORE_KERNELS_BF16_BLOCK_INL_H
#undef WEFT_CORE_KERNELS_BF16_BLOCK_INL_H
#else
#define WEFT_CORE_KERNELS_BF16_BLOCK_INL_H
#endif

#include <algorithm>

#include "core/kernels/bf16.h"
#include "core/kernels/bf16_cells.h"
#include "core/kernels/flush_to_zero.h"
#include "core/kernels/gemm_block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

/// A block whose sums are made one step after the other: where the machine would flush other sums
/// to zero than AVX512_BF16 does, or cannot flush at all.
[[maybe_unused]] void exact_block(Index rows, const BlockOperands& at, const float* panel,
                                  Index stride, Index depth, float alpha, Index columns) {
  for (Index r = 0; r < rows; ++r)
    for (Index j = 0; j < columns; ++j) {
      float sum = 0;
      for (Index p = 0; p < depth; ++p)
        sum = bf16_step(at.a[r * at.a_row + p * at.a_column], panel[p * stride + j], sum);
      at.c[r * at.ldc + j] = bf16_step(sum, alpha, at.base ? at.base[r * at.base_row + j] : -0.0f);
    }
}

/// A block whose cells are split. On x86 the caller has subnormal numbers flushed to zero.
template <bool kTwo>
HWY_INLINE void split_block(Index rows, const BlockOperands& at, const float* panel, Index stride,
                            Index depth, float alpha, Index columns) {
#if HWY_TARGET == HWY_SCALAR
  exact_block(rows, at, panel, stride, depth, alpha, columns);
#elif HWY_ARCH_X86
  microkernel<kTwo>(rows, at, panel, stride, depth, alpha, columns);
#else
  // What C was, in case that it must be done again.
  float before[kRows * 2 * kMostLanes];
  BlockOperands again = at;
  if (at.base == at.c) {
    for (Index r = 0; r < rows; ++r) std::copy_n(at.c + r * at.ldc, columns, before + r * columns);
    again.base = before, again.base_row = columns;
  }
  const FlushToZero flush;
  microkernel<kTwo>(rows, at, panel, stride, depth, alpha, columns);
  if (FlushToZero::flushed_early()) exact_block(rows, again, panel, stride, depth, alpha, columns);
#endif
}

/// `rows` of C and one or two vectors of columns, of which `columns` are stored.
template <Cells kCells, bool kTwo>
HWY_INLINE void multiply_block(Index rows, const BlockOperands& at, const float* panel,
                               Index stride, Index depth, float alpha, Index columns) {
  if constexpr (kCells == Cells::f32)
    microkernel<kTwo>(rows, at, panel, stride, depth, alpha, columns);
  else if constexpr (kCells == Cells::split)
    split_block<kTwo>(rows, at, panel, stride, depth, alpha, columns);
  else
    multiply_pairs(rows, at, panel, stride, depth, alpha, columns);
}

/// While one lives, x86 computes blocks of these cells as they ask.
template <Cells kCells>
struct BlockMode {};
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
template <>
struct BlockMode<Cells::split> : FlushToZero {};
template <>
struct BlockMode<Cells::pairs> : FlushToZero {};
#endif

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling guard
