// C is cut into panels two vectors wide and blocks of kRows rows: twelve running sums, which is what hides the latency of a fused multiply-add
// within 16 registers. A panel of B is copied to be contiguous, turned if need be; A is read where it lies.
#include "core/kernels/tile_gemm.h"

#include <algorithm>

#include "core/blas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/tile_gemm.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

using Index = std::int64_t;
using Vector = hn::Vec<hn::ScalableTag<float>>;

constexpr Index kRows = 6;
constexpr Index kDepth = 256;  // rows of a panel of B at a time: 16 KiB of AVX2 vectors, inside L1
constexpr std::size_t kMostLanes = HWY_MAX_BYTES / sizeof(float);

/// Where one block of rows of C stands.
struct Place {
  const float* a;
  Index a_row, a_column;
  float* c;
  Index ldc;
};

HWY_INLINE void finish(Vector sum, float alpha, bool accumulate, float* c, Index columns) {
  const hn::ScalableTag<float> d;
  if (columns <= 0) return;
  const Vector scaled = hn::Mul(sum, hn::Set(d, alpha));
  const std::size_t count = static_cast<std::size_t>(columns);
  if (count >= hn::Lanes(d)) hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, c), scaled) : scaled, d, c);
  else store_tail(d, accumulate ? hn::Add(load_tail(d, static_cast<const float*>(c), count, 0.0f), scaled) : scaled, c, count);
}

/// R rows and one or two vectors of C from `depth` rows of the panel b.
template <int R, bool kTwo>
HWY_INLINE void block(const Place& at, const float* HWY_RESTRICT b, Index stride, Index depth, float alpha, bool accumulate, Index columns) {
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Vector s00 = hn::Zero(d), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  const float* a = at.a;
  const Index row = at.a_row;
  for (Index p = 0; p < depth; ++p, a += at.a_column, b += stride) {
    const Vector b0 = hn::Load(d, b), b1 = kTwo ? hn::Load(d, b + lanes) : b0;
    const auto step = [&](Index r, Vector& left, Vector& right) HWY_ATTR {
      const Vector value = hn::Set(d, a[r * row]);
      left = hn::MulAdd(value, b0, left);
      if constexpr (kTwo) right = hn::MulAdd(value, b1, right);
    };
    step(0, s00, s01);
    if constexpr (R > 1) step(1, s10, s11);
    if constexpr (R > 2) step(2, s20, s21);
    if constexpr (R > 3) step(3, s30, s31);
    if constexpr (R > 4) step(4, s40, s41);
    if constexpr (R > 5) step(5, s50, s51);
  }
  const auto end = [&](Index r, Vector left, Vector right) HWY_ATTR {
    finish(left, alpha, accumulate, at.c + r * at.ldc, columns);
    if constexpr (kTwo) finish(right, alpha, accumulate, at.c + r * at.ldc + lanes, columns - lanes);
  };
  end(0, s00, s01);
  if constexpr (R > 1) end(1, s10, s11);
  if constexpr (R > 2) end(2, s20, s21);
  if constexpr (R > 3) end(3, s30, s31);
  if constexpr (R > 4) end(4, s40, s41);
  if constexpr (R > 5) end(5, s50, s51);
}

template <bool kTwo>
HWY_INLINE void some_rows(Index rows, const Place& at, const float* b, Index stride, Index depth, float alpha, bool accumulate, Index columns) {
  switch (rows) {
    case 1: return block<1, kTwo>(at, b, stride, depth, alpha, accumulate, columns);
    case 2: return block<2, kTwo>(at, b, stride, depth, alpha, accumulate, columns);
    case 3: return block<3, kTwo>(at, b, stride, depth, alpha, accumulate, columns);
    case 4: return block<4, kTwo>(at, b, stride, depth, alpha, accumulate, columns);
    case 5: return block<5, kTwo>(at, b, stride, depth, alpha, accumulate, columns);
    default: return block<6, kTwo>(at, b, stride, depth, alpha, accumulate, columns);
  }
}

/// Rows [0, depth) of `columns` columns of B, zeros up to `stride`.
HWY_INLINE void pack_rows(const float* b, Index ldb, Index depth, Index columns, Index stride, float* panel) {
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  for (Index p = 0; p < depth; ++p, b += ldb, panel += stride) {
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
HWY_INLINE void pack_transposed(const float* b, Index ldb, Index depth, Index columns, Index stride, float* panel) {
  Index j = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  for (; j + 4 <= columns; j += 4) {
    const float* from = b + j * ldb;
    float* to = panel + j;
    Index p = 0;
    for (; p + 4 <= depth; p += 4) {
      const auto r0 = hn::LoadU(d, from + p), r1 = hn::LoadU(d, from + ldb + p), r2 = hn::LoadU(d, from + 2 * ldb + p),
                 r3 = hn::LoadU(d, from + 3 * ldb + p);
      const auto low02 = hn::InterleaveLower(d, r0, r2), low13 = hn::InterleaveLower(d, r1, r3);
      const auto high02 = hn::InterleaveUpper(d, r0, r2), high13 = hn::InterleaveUpper(d, r1, r3);
      hn::StoreU(hn::InterleaveLower(d, low02, low13), d, to + p * stride);
      hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, to + (p + 1) * stride);
      hn::StoreU(hn::InterleaveLower(d, high02, high13), d, to + (p + 2) * stride);
      hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, to + (p + 3) * stride);
    }
    for (; p < depth; ++p)
      for (Index r = 0; r < 4; ++r) to[p * stride + r] = from[r * ldb + p];
  }
#endif
  for (; j < stride; ++j)
    for (Index p = 0; p < depth; ++p) panel[p * stride + j] = j < columns ? b[j * ldb + p] : 0.0f;
}

void tile_gemm_f32(const TileGemm<float>& t) {
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  HWY_ALIGN float panel[kDepth * 2 * kMostLanes];
  Index column = 0;
  while (column < t.n) {
    const Index columns = std::min(t.n - column, 2 * lanes);
    const bool two = columns > lanes;
    const Index stride = two ? 2 * lanes : lanes;
    for (Index first = 0; first < t.k || first == 0; first += kDepth) {
      const Index depth = std::min(kDepth, t.k - first);
      if (t.b_transposed) pack_transposed(t.b + column * t.ldb + first, t.ldb, depth, columns, stride, panel);
      else pack_rows(t.b + first * t.ldb + column, t.ldb, depth, columns, stride, panel);
      Index begin = 0;
      for (Index row = 0; row < t.m; row += kRows) {
        const Index rows = std::min(kRows, t.m - row);
        Index end = depth;
        if (t.cut == Cut::columns && t.visible[row + rows - 1] <= column) continue;
        if (t.cut == Cut::inner_end) end = std::clamp<Index>(t.visible[row + rows - 1] - first, 0, depth);
        if (t.cut == Cut::inner_begin)
          while (begin < depth && t.visible[first + begin] <= row) ++begin;
        const Place at{t.a + row * t.a_row + (first + begin) * t.a_column, t.a_row, t.a_column, t.c + row * t.ldc + column, t.ldc};
        const bool accumulate = t.accumulate || first > 0;
        if (two) some_rows<true>(rows, at, panel + begin * stride, stride, end - begin, t.alpha, accumulate, columns);
        else some_rows<false>(rows, at, panel + begin * stride, stride, end - begin, t.alpha, accumulate, columns);
      }
    }
    column += columns;
  }
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(tile_gemm_f32);
}  // namespace

void tile_gemm(const TileGemm<float>& product) { HWY_DYNAMIC_DISPATCH(tile_gemm_f32)(product); }

void tile_gemm(const TileGemm<double>& t) {
  using blas::Op;
  const bool turned = t.a_column != 1;
  blas::gemm(turned ? Op::transpose : Op::none, t.b_transposed ? Op::transpose : Op::none, t.m, t.n, t.k, t.alpha, t.a, turned ? t.a_column : t.a_row,
             t.b, t.ldb, t.accumulate ? 1.0 : 0.0, t.c, t.ldc);
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
