// The heart of our own matrix products: C is cut into panels two vectors wide and blocks of kRows
// rows: twelve running sums, which is what hides the latency of a fused multiply-add within 16
// registers. A panel of B is copied to be contiguous, turned if need be; A is read where it lies.
// Included once an instruction set (Highway's foreach_target), so the guard toggles.
#if defined(WEFT_CORE_KERNELS_GEMM_BLOCK_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_CORE_KERNELS_GEMM_BLOCK_INL_H
#undef WEFT_CORE_KERNELS_GEMM_BLOCK_INL_H
#else
#define WEFT_CORE_KERNELS_GEMM_BLOCK_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/kernels/bf16_cells.h"
#include "core/kernels/rows-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

using Index = std::int64_t;
using Vector = hn::Vec<hn::ScalableTag<float>>;

constexpr Index kRows = 6;
constexpr Index kDepth = 256;  // rows of a panel of B at a time: 16 KiB of AVX2 vectors, inside L1
constexpr Index kAhead = 16;   // elements of a row of A in one cache line
constexpr Index kRowsAhead = 16;  // what is packed from memory is asked for this many rows early
constexpr std::size_t kMostLanes = HWY_MAX_BYTES / sizeof(float);

/// c = alpha * sum, plus what stands at `base` unless that is null.
HWY_INLINE void epilogue(Vector sum, Vector alpha, const float* base, float* c) {
  const hn::ScalableTag<float> d;
  hn::StoreU(base ? FusedMulAdd(sum, alpha, hn::LoadU(d, base)) : hn::Mul(sum, alpha), d, c);
}

/// The same for the first `columns` lanes, which may be none or all.
HWY_INLINE void epilogue_tail(Vector sum, Vector alpha, const float* base, float* c,
                              Index columns) {
  const hn::ScalableTag<float> d;
  if (columns <= 0) return;
  const std::size_t count = static_cast<std::size_t>(columns);
  if (count >= hn::Lanes(d)) return epilogue(sum, alpha, base, c);
  store_tail(d,
             base ? FusedMulAdd(sum, alpha, load_tail(d, base, count, 0.0f)) : hn::Mul(sum, alpha),
             c, count);
}

/// Row r of a block, one or two vectors.
template <bool kTwo>
HWY_INLINE void epilogue_row(const BlockOperands& at, Index r, Vector left, Vector right,
                             Vector alpha, Index columns) {
  const Index lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<float>()));
  float* const c = at.c + r * at.ldc;
  const float* const base = at.base ? at.base + r * at.base_row : nullptr;
  if (columns >= (kTwo ? 2 : 1) * lanes) {
    epilogue(left, alpha, base, c);
    if constexpr (kTwo) epilogue(right, alpha, base ? base + lanes : nullptr, c + lanes);
  } else {
    epilogue_tail(left, alpha, base, c, columns);
    if constexpr (kTwo)
      epilogue_tail(right, alpha, base ? base + lanes : nullptr, c + lanes, columns - lanes);
  }
}

/// R rows and one or two vectors of C from `depth` rows of the panel b.
template <int R, bool kTwo>
HWY_INLINE void block(const BlockOperands& at, const float* HWY_RESTRICT b, Index stride,
                      Index depth, float factor, Index columns) {
  const hn::ScalableTag<float> d;
  const Vector alpha = hn::Set(d, factor);
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Vector s00 = hn::Zero(d), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00,
         s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  const float* a = at.a;
  const Index row = at.a_row;
  for (Index rest = depth; rest > 0; rest -= kAhead) {
    // The next block's rows come from L2 otherwise just when they are needed.
    for (Index r = 0; r < R; ++r) hwy::Prefetch(a + (R + r) * row);
    const Index count = std::min(rest, kAhead);
#pragma GCC unroll 4
    for (Index p = 0; p < count; ++p, a += at.a_column, b += stride) {
      const Vector b0 = hn::Load(d, b), b1 = kTwo ? hn::Load(d, b + lanes) : b0;
      const auto step = [&](Index r, Vector& left, Vector& right) HWY_ATTR {
        const Vector value = hn::Set(d, a[r * row]);
        left = FusedMulAdd(value, b0, left);
        if constexpr (kTwo) right = FusedMulAdd(value, b1, right);
      };
      step(0, s00, s01);
      if constexpr (R > 1) step(1, s10, s11);
      if constexpr (R > 2) step(2, s20, s21);
      if constexpr (R > 3) step(3, s30, s31);
      if constexpr (R > 4) step(4, s40, s41);
      if constexpr (R > 5) step(5, s50, s51);
    }
  }
  epilogue_row<kTwo>(at, 0, s00, s01, alpha, columns);
  if constexpr (R > 1) epilogue_row<kTwo>(at, 1, s10, s11, alpha, columns);
  if constexpr (R > 2) epilogue_row<kTwo>(at, 2, s20, s21, alpha, columns);
  if constexpr (R > 3) epilogue_row<kTwo>(at, 3, s30, s31, alpha, columns);
  if constexpr (R > 4) epilogue_row<kTwo>(at, 4, s40, s41, alpha, columns);
  if constexpr (R > 5) epilogue_row<kTwo>(at, 5, s50, s51, alpha, columns);
}

template <bool kTwo>
HWY_INLINE void microkernel(Index rows, const BlockOperands& at, const float* b, Index stride,
                            Index depth, float alpha, Index columns) {
  switch (rows) {
    case 1:
      return block<1, kTwo>(at, b, stride, depth, alpha, columns);
    case 2:
      return block<2, kTwo>(at, b, stride, depth, alpha, columns);
    case 3:
      return block<3, kTwo>(at, b, stride, depth, alpha, columns);
    case 4:
      return block<4, kTwo>(at, b, stride, depth, alpha, columns);
    case 5:
      return block<5, kTwo>(at, b, stride, depth, alpha, columns);
    default:
      return block<6, kTwo>(at, b, stride, depth, alpha, columns);
  }
}

/// Six rows of A that is stored (k, m), from `depth` of its rows: element (r, p) at strip[p * kRows
/// + r], for `rows` of the six.
HWY_INLINE void pack_strip(const float* a, Index lda, Index depth, Index rows,
                           float* HWY_RESTRICT strip) {
#if HWY_TARGET != HWY_SCALAR
  if (rows == kRows) {
    const hn::FixedTag<float, 4> four;
    const hn::FixedTag<float, 2> two;
    for (Index p = 0; p < depth; ++p, a += lda, strip += kRows) {
      hwy::Prefetch(a + kRowsAhead * lda);
      hn::StoreU(hn::LoadU(four, a), four, strip);
      hn::StoreU(hn::LoadU(two, a + 4), two, strip + 4);
    }
    return;
  }
#endif
  for (Index p = 0; p < depth; ++p, a += lda, strip += kRows)
    for (Index r = 0; r < rows; ++r) strip[r] = a[r];
}

/// Rows [0, depth) of `columns` columns of B, zeros up to `stride`.
HWY_INLINE void pack_rows(const float* b, Index ldb, Index depth, Index columns, Index stride,
                          float* panel) {
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  for (Index p = 0; p < depth; ++p, b += ldb, panel += stride) {
    hwy::Prefetch(b + kRowsAhead * ldb);
    for (Index j = 0; j < stride; j += lanes) {
      const Index rest = columns - j;
      hn::Store(rest >= lanes ? hn::LoadU(d, b + j)
                : rest > 0    ? load_tail(d, b + j, static_cast<std::size_t>(rest), 0.0f)
                              : hn::Zero(d),
                d, panel + j);
    }
  }
}

/// The same where B is stored (n, k): squares of four by four are turned in registers.
HWY_INLINE void pack_transposed(const float* b, Index ldb, Index depth, Index columns, Index stride,
                                float* panel) {
  const hn::ScalableTag<float> all;
  const Index lanes = static_cast<Index>(hn::Lanes(all));
  const Index whole = columns / lanes * lanes;
  for (Index p = 0; p < depth && whole < stride; ++p)
    for (Index j = whole; j < stride; j += lanes)
      hn::Store(hn::Zero(all), all, panel + p * stride + j);
  Index j = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  for (; j < columns; j += 4) {
    // Columns of the last four that are missing repeat one that is there, and become zeros.
    const Index last = std::min<Index>(columns - j, 4) - 1;
    const float *const from0 = b + j * ldb, *const from1 = from0 + std::min<Index>(1, last) * ldb,
                       *const from2 = from0 + std::min<Index>(2, last) * ldb,
                       *const from3 = from0 + last * ldb;
    const auto wanted = hn::FirstN(d, static_cast<std::size_t>(last) + 1);
    float* const to = panel + j;
    Index p = 0;
    for (; p + 4 <= depth; p += 4) {
      const auto r0 = hn::LoadU(d, from0 + p), r1 = hn::LoadU(d, from1 + p),
                 r2 = hn::LoadU(d, from2 + p), r3 = hn::LoadU(d, from3 + p);
      const auto low02 = hn::InterleaveLower(d, r0, r2), low13 = hn::InterleaveLower(d, r1, r3);
      const auto high02 = hn::InterleaveUpper(d, r0, r2), high13 = hn::InterleaveUpper(d, r1, r3);
      const auto put = [&](Index q, auto turned) HWY_ATTR {
        hn::StoreU(hn::IfThenElseZero(wanted, turned), d, to + (p + q) * stride);
      };
      put(0, hn::InterleaveLower(d, low02, low13));
      put(1, hn::InterleaveUpper(d, low02, low13));
      put(2, hn::InterleaveLower(d, high02, high13));
      put(3, hn::InterleaveUpper(d, high02, high13));
    }
    for (; p < depth; ++p)
      for (Index r = 0; r <= last; ++r) to[p * stride + r] = from0[r * ldb + p];
  }
#endif
  for (; j < columns; ++j)
    for (Index p = 0; p < depth; ++p) panel[p * stride + j] = b[j * ldb + p];
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling guard
