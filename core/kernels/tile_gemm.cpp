#include "core/kernels/tile_gemm.h"

#include <algorithm>

#include "core/blas.h"
#include "core/kernels/bf16_cells.h"
#include "core/storage.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/tile_gemm.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/bf16_block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

template <Cells kCells>
constexpr Index kTerms = kCells == Cells::f32 ? 1 : 2;  // that are skipped together

/// t.a, t.b and t.k are cells, as are the distances; t.visible are of terms, of which there are
/// `terms`.
template <Cells kCells>
void multiply_tile(const TileGemm<float>& t, Index terms) {
  [[maybe_unused]] const BlockMode<kCells> mode;
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  constexpr Index kSlice = kCells == Cells::pairs ? kDepth / 2 : kDepth;
  constexpr Index kUnit = cell_count(kCells, kTerms<kCells>);  // cells of what is skipped together
  HWY_ALIGN float panel[kSlice * 2 * kMostLanes];
  Index column = 0;
  while (column < t.n) {
    const Index columns = std::min(t.n - column, 2 * lanes);
    const bool two = columns > lanes;
    const Index stride = two ? 2 * lanes : lanes, stored = t.c_has_room ? stride : columns;
    for (Index first = 0; first < t.k || first == 0; first += kSlice) {
      const Index depth = std::min(kSlice, t.k - first);
      if (t.b_transposed)
        pack_transposed(t.b.f32 + column * t.ldb + first, t.ldb, depth, columns, stride, panel);
      else
        pack_rows(t.b.f32 + first * t.ldb + column, t.ldb, depth, columns, stride, panel);
      Index begin = 0;
      for (Index row = 0; row < t.m; row += kRows) {
        const Index rows = std::min(kRows, t.m - row);
        Index end = depth;
        if (t.cut == Cut::columns && t.visible[row + rows - 1] <= column) continue;
        if (t.cut == Cut::inner_end)
          end = std::clamp<Index>(cell_count(kCells, t.visible[row + rows - 1]) - first, 0, depth);
        if (t.cut == Cut::inner_begin) {
          const auto last_term = [&](Index cell) {
            return std::min(terms, ((first + cell) / kUnit + 1) * kTerms<kCells>) - 1;
          };
          while (begin < depth && t.visible[last_term(begin)] <= row) begin += kUnit;
        }
        float* const c = t.c + row * t.ldc + column;
        const BlockOperands at{t.a.f32 + row * t.a_row + (first + begin) * t.a_column,
                               t.a_row,
                               t.a_column,
                               c,
                               t.ldc,
                               t.accumulate || first > 0 ? c : nullptr,
                               t.ldc};
        const float* const from = panel + begin * stride;
        if (two)
          multiply_block<kCells, true>(rows, at, from, stride, end - begin, t.alpha, stored);
        else
          multiply_block<kCells, false>(rows, at, from, stride, end - begin, t.alpha, stored);
      }
    }
    column += columns;
  }
}

void multiply_f32(const TileGemm<float>& t, Index terms) { multiply_tile<Cells::f32>(t, terms); }
void multiply_split(const TileGemm<float>& t, Index terms) {
  multiply_tile<Cells::split>(t, terms);
}
void multiply_paired(const TileGemm<float>& t, Index terms) {
  multiply_tile<Cells::pairs>(t, terms);
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_split);
HWY_EXPORT(multiply_paired);

/// A and B become cells that lie as A and B do; then these are multiplied.
void tile_gemm_bf16(const TileGemm<float>& t) {
  const Cells cells = bf16_cells();
  const std::int64_t k = cell_count(cells, t.k);
  // Attention's tiles with heads of up to 128 fit; asking for memory would cost as much as a small
  // product.
  constexpr std::int64_t kEnough = 2 * 128 * 128;
  alignas(64) float stack[kEnough];
  const std::int64_t needed = (t.m + t.n) * k;
  const Storage memory(needed > kEnough ? needed * static_cast<std::int64_t>(sizeof(float)) : 0);
  float* const a = needed > kEnough ? reinterpret_cast<float*>(memory.data()) : stack;
  float* const b = a + t.m * k;
  const bool turned = t.a_column != 1;
  if (turned)
    cells_across(cells, t.a, t.m, t.k, t.a_column, a, t.m);
  else
    cells_along(cells, t.a, t.m, t.a_row, t.k, a, k);
  if (t.b_transposed)
    cells_along(cells, t.b, t.n, t.ldb, t.k, b, k);
  else
    cells_across(cells, t.b, t.n, t.k, t.ldb, b, t.n);
  TileGemm<float> mine = t;
  mine.k = k;
  mine.a = a;
  mine.a_row = turned ? 1 : k;
  mine.a_column = turned ? t.m : 1;
  mine.b = b;
  mine.ldb = t.b_transposed ? k : t.n;
  if (cells == Cells::pairs)
    HWY_DYNAMIC_DISPATCH(multiply_paired)(mine, t.k);
  else
    HWY_DYNAMIC_DISPATCH(multiply_split)(mine, t.k);
}

void tile_gemm_of(const TileGemm<float>& product) {
  if (product.precision == Precision::bf16)
    tile_gemm_bf16(product);
  else
    HWY_DYNAMIC_DISPATCH(multiply_f32)(product, product.k);
}

void tile_gemm_of(const TileGemm<double>& t) {
  using blas::Op;
  const bool turned = t.a_column != 1;
  blas::gemm(turned ? Op::transpose : Op::none, t.b_transposed ? Op::transpose : Op::none, t.m, t.n,
             t.k, t.alpha, t.a, turned ? t.a_column : t.a_row, t.b, t.ldb, t.accumulate ? 1.0 : 0.0,
             t.c, t.ldc);
}

}  // namespace

template <class T>
void tile_gemm(const TileGemm<T>& product) {
  tile_gemm_of(product);
}

template void tile_gemm(const TileGemm<float>&);
template void tile_gemm(const TileGemm<double>&);

}  // namespace weft::kernels
#endif  // HWY_ONCE
