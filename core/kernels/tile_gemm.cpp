#include "core/kernels/tile_gemm.h"

#include <algorithm>

#include "core/blas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/tile_gemm.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/gemm_block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

void tile_gemm_f32(const TileGemm<float>& t) {
  const hn::ScalableTag<float> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  HWY_ALIGN float panel[kDepth * 2 * kMostLanes];
  Index column = 0;
  while (column < t.n) {
    const Index columns = std::min(t.n - column, 2 * lanes);
    const bool two = columns > lanes;
    const Index stride = two ? 2 * lanes : lanes, stored = t.c_has_room ? stride : columns;
    for (Index first = 0; first < t.k || first == 0; first += kDepth) {
      const Index depth = std::min(kDepth, t.k - first);
      if (t.b_transposed)
        pack_transposed(t.b + column * t.ldb + first, t.ldb, depth, columns, stride, panel);
      else
        pack_rows(t.b + first * t.ldb + column, t.ldb, depth, columns, stride, panel);
      Index begin = 0;
      for (Index row = 0; row < t.m; row += kRows) {
        const Index rows = std::min(kRows, t.m - row);
        Index end = depth;
        if (t.cut == Cut::columns && t.visible[row + rows - 1] <= column) continue;
        if (t.cut == Cut::inner_end)
          end = std::clamp<Index>(t.visible[row + rows - 1] - first, 0, depth);
        if (t.cut == Cut::inner_begin)
          while (begin < depth && t.visible[first + begin] <= row) ++begin;
        float* const c = t.c + row * t.ldc + column;
        const BlockOperands at{t.a + row * t.a_row + (first + begin) * t.a_column,
                               t.a_row,
                               t.a_column,
                               c,
                               t.ldc,
                               t.accumulate || first > 0 ? c : nullptr,
                               t.ldc};
        if (two)
          microkernel<true>(rows, at, panel + begin * stride, stride, end - begin, t.alpha, stored);
        else
          microkernel<false>(rows, at, panel + begin * stride, stride, end - begin, t.alpha,
                             stored);
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

void tile_gemm_of(const TileGemm<float>& product) { HWY_DYNAMIC_DISPATCH(tile_gemm_f32)(product); }

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
