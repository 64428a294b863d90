#include "core/kernels/packed_gemm.h"

#include <algorithm>

#include "core/blas.h"
#include "core/kernels/bf16_cells.h"
#include "core/kernels/packed_tile.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "core/storage.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/packed_gemm.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/bf16_block-inl.h"
#include "core/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

Index panel_width() { return 2 * static_cast<Index>(hn::Lanes(hn::ScalableTag<float>())); }

/// Rows [first, first + depth) of the panels [begin, end) of B, panel_width() columns each.
void pack_panels(const PackedGemm& t, Index first, Index depth, Index begin, Index end,
                 float* packed) {
  const Index width = panel_width();
  for (Index i = begin; i < end; ++i) {
    const Index column = i * width, columns = std::min(width, t.n - column);
    float* const panel = packed + i * width * depth;
    if (t.b_transposed)
      pack_transposed(t.b + column * t.ldb + first, t.ldb, depth, columns, width, panel);
    else
      pack_rows(t.b + first * t.ldb + column, t.ldb, depth, columns, width, panel);
  }
}

/// Strips [begin, end) of A that is stored (k, m): a few of its rows at a time, which stay in L1
/// while all strips take their part.
void pack_strips(const PackedGemm& t, Index first, Index depth, Index begin, Index end,
                 float* packed) {
  constexpr Index kAtOnce = 16;
  for (Index p = 0; p < depth; p += kAtOnce)
    for (Index i = begin; i < end; ++i)
      pack_strip(t.a + (first + p) * t.a_column + i * kRows, t.a_column,
                 std::min(kAtOnce, depth - p), std::min(kRows, t.m - i * kRows),
                 packed + (i * depth + p) * kRows);
}

template <Cells kCells>
void multiply(const PackedTile& tile) {
  [[maybe_unused]] const BlockMode<kCells> mode;
  const PackedGemm& t = tile.product;
  const Index width = panel_width(), offset = tile.panel_depth == t.k ? tile.first : 0;
  for (Index p = 0; p < tile.depth; p += tile.step) {
    const Index part = std::min(tile.step, tile.depth - p);
    for (Index i = tile.begin; i < tile.end; ++i) {
      const Index column = i * width, columns = std::min(width, t.n - column);
      const float* const panel = tile.panels + (i * tile.panel_depth + offset + p) * width;
      for (Index r = tile.row; r < tile.row + tile.rows; r += kRows) {
        float* const c = t.c + r * t.ldc + column;
        const bool onto_c = tile.first + p > 0 || t.accumulate;
        const float* const base = onto_c ? c : t.bias ? t.bias + column : nullptr;
        const float* const a = tile.strips ? tile.strips + r * tile.depth + p * kRows
                                           : t.a + r * t.a_row + (tile.first + p) * t.a_column;
        const BlockOperands at{
            a,    tile.strips ? 1 : t.a_row, tile.strips ? kRows : t.a_column, c, t.ldc,
            base, onto_c ? t.ldc : 0};
        const Index count = std::min(kRows, tile.row + tile.rows - r);
        if (2 * columns > width)
          multiply_block<kCells, true>(count, at, panel, width, part, t.alpha, columns);
        else
          multiply_block<kCells, false>(count, at, panel, width, part, t.alpha, columns);
      }
    }
  }
}

void multiply_f32(const PackedTile& tile) { multiply<Cells::f32>(tile); }
void multiply_split(const PackedTile& tile) { multiply<Cells::split>(tile); }
void multiply_paired(const PackedTile& tile) { multiply<Cells::pairs>(tile); }

void add_rows(const float* x, const float* y, Index count, float* to) {
  map(x, y, to, count, [](auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(panel_width);
HWY_EXPORT(pack_panels);
HWY_EXPORT(pack_strips);
HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_split);
HWY_EXPORT(multiply_paired);
HWY_EXPORT(add_rows);

using Index = std::int64_t;

constexpr Index kRowStep = 6;       // the kernel's block of rows
constexpr Index kSlice = 256;       // of k at a time, where A is packed, too
constexpr double kTaskFlop = 12e6;  // worth a task
constexpr Index kMostTasks = 32;
constexpr Index kPackGrain = 32768;  // elements worth a task
constexpr double kLeastFlop = 2e5;   // below, a library's kernels for small matrices do as well

// A sum of kLongSum and more terms into at most kSmallResult elements is split over the terms,
// kShortSlice of them at a time.
constexpr Index kLongSum = 512;
constexpr Index kSmallResult = 1 << 16;
constexpr Index kShortSlice = 128;
constexpr Index kParts = 8;

Index round_up(Index value, Index step) { return chunk_count(value, step) * step; }

void multiply(Cells cells, const PackedTile& tile) {
  switch (cells) {
    case Cells::f32:
      return HWY_DYNAMIC_DISPATCH(multiply_f32)(tile);
    case Cells::split:
      return HWY_DYNAMIC_DISPATCH(multiply_split)(tile);
    case Cells::pairs:
      return HWY_DYNAMIC_DISPATCH(multiply_paired)(tile);
  }
}

/// A sum's terms are taken in slices of so many cells: of as many terms, however they are packed.
Index cells_of(Cells cells, Index terms) { return cells == Cells::pairs ? terms / 2 : terms; }

/// Tiles of C; A is read where it lies.
void tiles_in_place(const PackedGemm& t, Cells cells, const float* packed, Index panels) {
  const blas::Tiling tile = blas::choose_tiles(t.m, t.n, t.k);
  const Index rows = std::min(t.m, round_up(tile.rows, kRowStep)),
              wide = chunk_count(tile.columns, HWY_DYNAMIC_DISPATCH(panel_width)());
  const Index across = chunk_count(panels, wide);
  parallel_for(chunk_count(t.m, rows) * across, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index row = i / across * rows, panel = i % across * wide;
      multiply(cells, {.product = t,
                       .strips = nullptr,
                       .panels = packed,
                       .panel_depth = t.k,
                       .first = 0,
                       .depth = t.k,
                       .step = cells_of(cells, kSlice),
                       .row = row,
                       .rows = std::min(rows, t.m - row),
                       .begin = panel,
                       .end = std::min(panels, panel + wide)});
    }
  });
}

/// Whole rows of C, so that each strip of A is packed by the one task that needs it, a slice at a
/// time that stays in the cache.
void rows_of_turned(const PackedGemm& t, Cells cells, const float* packed, Index panels) {
  const double flop =
      2.0 * static_cast<double>(t.m) * static_cast<double>(t.n) * static_cast<double>(t.k);
  const Index tasks = std::clamp<Index>(static_cast<Index>(flop / kTaskFlop), 1, kMostTasks);
  const Index rows = round_up(chunk_count(t.m, tasks), kRowStep),
              slice = std::min(t.k, cells_of(cells, kSlice));
  parallel_for(t.m, rows, [&](Index begin, Index end) {
    const Storage memory(rows * slice * static_cast<Index>(sizeof(float)));
    float* const strips = reinterpret_cast<float*>(memory.data());
    PackedGemm mine = t;
    mine.m = end - begin;
    mine.a += begin;  // a_row is 1
    mine.c += begin * t.ldc;
    for (Index first = 0; first < t.k; first += slice) {
      const Index depth = std::min(slice, t.k - first);
      HWY_DYNAMIC_DISPATCH(pack_strips)
      (mine, first, depth, 0, chunk_count(mine.m, kRowStep), strips);
      multiply(cells, {.product = mine,
                       .strips = strips,
                       .panels = packed,
                       .panel_depth = t.k,
                       .first = first,
                       .depth = depth,
                       .step = slice,
                       .row = 0,
                       .rows = mine.m,
                       .begin = 0,
                       .end = panels});
    }
  });
}

/// to = the sum of the parts, of `size` elements each: neighbors first, then pairs of neighbors.
void sum_of_parts(float* parts, Index count, Index size, float* to) {
  for (Index step = 1; step < count; step *= 2) {
    const bool last = 2 * step >= count;
    parallel_for(size, kPackGrain, [&](Index begin, Index end) {
      for (Index i = 0; i + step < count; i += 2 * step) HWY_DYNAMIC_DISPATCH(add_rows)
      (parts + i * size + begin, parts + (i + step) * size + begin, end - begin,
       (last ? to : parts + i * size) + begin);
    });
  }
  if (count == 1) std::copy_n(parts, size, to);
}

/// A weight's gradient: k is long and C small. Each task multiplies its part of k, a slice at a
/// time that stays in the cache packed, into a C of its own; these are added in pairs.
void split_gemm(const PackedGemm& t, Cells cells) {
  const Index width = HWY_DYNAMIC_DISPATCH(panel_width)(), all_panels = chunk_count(t.n, width),
              all_strips = chunk_count(t.m, kRowStep);
  // Equal parts where k divides, so that half, a quarter or an eighth of the terms are sums that
  // stand by themselves, and those of the whole are sums of them (sum_of_parts).
  const Index part = round_up(chunk_count(t.k, kParts), cells == Cells::split ? 2 : 1),
              parts = chunk_count(t.k, part), slice = cells_of(cells, kShortSlice);
  const Index size = t.m * t.n, panel_floats = all_panels * width * slice,
              strip_floats = all_strips * kRowStep * slice;
  const Storage sums(parts * size * static_cast<Index>(sizeof(float)));
  float* const all = reinterpret_cast<float*>(sums.data());
  parallel_for(parts, 1, [&](Index begin, Index end) {
    const Storage memory((panel_floats + strip_floats) * static_cast<Index>(sizeof(float)));
    float* const panels = reinterpret_cast<float*>(memory.data());
    float* const strips = panels + panel_floats;
    for (Index i = begin; i < end; ++i) {
      PackedGemm mine = t;
      mine.a += i * part * t.a_column;
      mine.b += i * part * t.ldb;
      mine.k = std::min(part, t.k - i * part);
      mine.c = all + i * size;
      mine.ldc = t.n;
      for (Index first = 0; first < mine.k; first += slice) {
        const Index depth = std::min(slice, mine.k - first);
        HWY_DYNAMIC_DISPATCH(pack_panels)(mine, first, depth, 0, all_panels, panels);
        HWY_DYNAMIC_DISPATCH(pack_strips)(mine, first, depth, 0, all_strips, strips);
        multiply(cells, {.product = mine,
                         .strips = strips,
                         .panels = panels,
                         .panel_depth = depth,
                         .first = first,
                         .depth = depth,
                         .step = slice,
                         .row = 0,
                         .rows = t.m,
                         .begin = 0,
                         .end = all_panels});
      }
    }
  });
  sum_of_parts(all, parts, size, t.c);
}

void multiply_cells(const PackedGemm& t, Cells cells, Index terms) {
  // One element of a column a cache line: A that is stored (k, m) is packed, too.
  const bool turned = t.a_column != 1,
             plain = !t.accumulate && !t.bias && t.ldc == t.n && t.alpha == 1;
  if (turned && plain && terms >= kLongSum && !t.b_transposed && t.m * t.n <= kSmallResult)
    return split_gemm(t, cells);
  const Index width = HWY_DYNAMIC_DISPATCH(panel_width)(), panels = chunk_count(t.n, width);
  const Storage memory(panels * width * t.k * static_cast<Index>(sizeof(float)));
  float* const packed = reinterpret_cast<float*>(memory.data());
  parallel_for(panels, std::max<Index>(1, kPackGrain / (width * t.k)), [&](Index begin, Index end) {
    HWY_DYNAMIC_DISPATCH(pack_panels)(t, 0, t.k, begin, end, packed);
  });
  if (turned)
    rows_of_turned(t, cells, packed, panels);
  else
    tiles_in_place(t, cells, packed, panels);
}

/// A and B become cells that lie as A and B do; then these are multiplied.
void multiply_bf16(const PackedGemm& t) {
  const Cells cells = bf16_cells();
  const Index k = cell_count(cells, t.k);
  const Storage memory((t.m + t.n) * k * static_cast<Index>(sizeof(float)));
  float* const a = reinterpret_cast<float*>(memory.data());
  float* const b = a + t.m * k;
  PackedGemm mine = t;
  mine.a = a, mine.b = b, mine.k = k;
  make_cells(cells, {t.a, t.m, t.a_row, t.k, t.a_column}, a);
  mine.a_row = t.a_column == 1 ? k : 1;
  mine.a_column = t.a_column == 1 ? 1 : t.m;
  make_cells(cells, {t.b, t.n, t.b_transposed ? t.ldb : 1, t.k, t.b_transposed ? 1 : t.ldb}, b);
  mine.ldb = t.b_transposed ? k : t.n;
  multiply_cells(mine, cells, t.k);
}

}  // namespace

void packed_gemm(const PackedGemm& t) {
  if (t.m <= 0 || t.n <= 0) return;
  if (precision() == Precision::bf16)
    multiply_bf16(t);
  else
    multiply_cells(t, Cells::f32, t.k);
}

bool packed_gemm_pays(Index m, Index n, Index k) {
  if (precision() == Precision::bf16) return true;
  return m >= 4 * kRowStep && n >= 16 && k >= 16 &&
         2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >=
             kLeastFlop;
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
