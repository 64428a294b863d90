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
      pack_transposed(t.b.f32 + column * t.ldb + first, t.ldb, depth, columns, width, panel);
    else
      pack_rows(t.b.f32 + first * t.ldb + column, t.ldb, depth, columns, width, panel);
  }
}

/// The panel of a B whose columns were made cells one after the other.
void turn_panel(const float* lines, Index depth, Index columns, float* panel) {
  pack_transposed(lines, depth, depth, columns, panel_width(), panel);
}

/// Strips of all m rows of A: `count` of their `depth` columns from `at` on, which lie one after
/// the other from `a` on, lda apart.
void pack_strips(const float* a, Index lda, Index m, Index depth, Index at, Index count,
                 float* packed) {
  for (Index i = 0; i < m; i += kRows)
    pack_strip(a + i, lda, count, std::min(kRows, m - i), packed + i * depth + at * kRows);
}

template <Cells kCells>
void multiply(const PackedTile& tile) {
  [[maybe_unused]] const BlockMode<kCells> mode;
  const PackedGemm& t = tile.product;
  const Index width = panel_width();
  const bool onto_c = !tile.first || t.accumulate;
  for (Index i = tile.begin; i < tile.end; ++i) {
    const Index column = i * width, columns = std::min(width, t.n - column);
    const float* const panel = tile.panels + i * tile.panel_depth * width;
    for (Index r = 0; r < tile.rows; r += kRows) {
      float* const c = t.c + (tile.row + r) * t.ldc + column;
      const float* const base = onto_c ? c : t.bias ? t.bias + column : nullptr;
      const BlockOperands at{tile.a + r / kRows * tile.block,
                             tile.a_row,
                             tile.a_column,
                             c,
                             t.ldc,
                             base,
                             onto_c ? t.ldc : 0};
      const Index count = std::min(kRows, tile.rows - r);
      if (2 * columns > width)
        multiply_block<kCells, true>(count, at, panel, width, tile.depth, 1.0f, columns);
      else
        multiply_block<kCells, false>(count, at, panel, width, tile.depth, 1.0f, columns);
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
HWY_EXPORT(turn_panel);
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

float* floats(const Storage& memory) { return reinterpret_cast<float*>(memory.data()); }
Storage room_for(Index floats) { return Storage(floats * static_cast<Index>(sizeof(float))); }

/// Terms [first, first + depth) of the panels [begin, end) of B, in cells.
void pack_panels(const PackedGemm& t, Cells cells, Index first, Index depth, Index begin, Index end,
                 float* packed) {
  if (cells == Cells::f32)
    return HWY_DYNAMIC_DISPATCH(pack_panels)(t, first, depth, begin, end, packed);
  const Index width = HWY_DYNAMIC_DISPATCH(panel_width)(), cell_depth = cell_count(cells, depth);
  const Storage memory = room_for(t.b_transposed ? width * cell_depth : 0);
  for (Index i = begin; i < end; ++i) {
    const Index column = i * width, columns = std::min(width, t.n - column);
    float* const panel = packed + i * width * cell_depth;
    if (t.b_transposed) {
      cells_along(cells, t.b + column * t.ldb + first, columns, t.ldb, depth, floats(memory),
                  cell_depth);
      HWY_DYNAMIC_DISPATCH(turn_panel)(floats(memory), cell_depth, columns, panel);
    } else {
      if (columns < width) std::fill_n(panel, width * cell_depth, 0.0f);
      cells_across(cells, t.b + first * t.ldb + column, columns, depth, t.ldb, panel, width);
    }
  }
}

constexpr Index kAtOnce = 16;  // columns of A, which stay in L1 while all strips take their part

/// Terms [first, first + depth) of all strips of A that is stored (k, m), in cells. `some` has room
/// for m times kAtOnce.
void pack_strips(const PackedGemm& t, Cells cells, Index first, Index depth, float* some,
                 float* packed) {
  const Index cell_depth = cell_count(cells, depth);
  for (Index p = 0; p < depth; p += kAtOnce) {
    const Index count = std::min(kAtOnce, depth - p);
    const Operand from = t.a + (first + p) * t.a_column;
    if (cells != Cells::f32) cells_across(cells, from, t.m, count, t.a_column, some, t.m);
    HWY_DYNAMIC_DISPATCH(pack_strips)
    (cells == Cells::f32 ? from.f32 : some, cells == Cells::f32 ? t.a_column : t.m, t.m, cell_depth,
     cell_count(cells, p), cell_count(cells, count), packed);
  }
}

/// Tiles of C; A is read where it lies, or as cells a slice at a time, which stays in the cache.
void tiles_in_place(const PackedGemm& t, Cells cells, const float* packed, Index panels) {
  const blas::Tiling tile = blas::choose_tiles(t.m, t.n, t.k);
  const Index width = HWY_DYNAMIC_DISPATCH(panel_width)(), wide = chunk_count(tile.columns, width);
  const Index rows = std::min(t.m, round_up(tile.rows, kRowStep));
  const Index across = chunk_count(panels, wide);
  parallel_for(chunk_count(t.m, rows) * across, 1, [&](Index begin, Index end) {
    const Storage memory =
        room_for(cells == Cells::f32 ? 0 : rows * cell_count(cells, std::min(t.k, kSlice)));
    for (Index i = begin; i < end; ++i) {
      const Index row = i / across * rows, panel = i % across * wide,
                  own_rows = std::min(rows, t.m - row);
      for (Index first = 0; first < t.k; first += kSlice) {
        const Index depth = std::min(kSlice, t.k - first), cell_depth = cell_count(cells, depth);
        const Operand from = t.a + row * t.a_row + first;
        const float* a = from.f32;
        Index a_row = t.a_row;
        if (cells != Cells::f32) {
          cells_along(cells, from, own_rows, t.a_row, depth, floats(memory), cell_depth);
          a = floats(memory), a_row = cell_depth;
        }
        multiply(cells, {.product = t,
                         .a = a,
                         .block = kRowStep * a_row,
                         .a_row = a_row,
                         .a_column = 1,
                         .panels = packed + cell_count(cells, first) * width,
                         .panel_depth = cell_count(cells, t.k),
                         .first = first == 0,
                         .depth = cell_depth,
                         .row = row,
                         .rows = own_rows,
                         .begin = panel,
                         .end = std::min(panels, panel + wide)});
      }
    }
  });
}

/// A tile of all rows of t from packed strips and panels.
PackedTile packed_tile(const PackedGemm& t, const float* strips, const float* panels,
                       Index panel_depth, bool first, Index depth, Index end) {
  return {.product = t,
          .a = strips,
          .block = kRowStep * depth,
          .a_row = 1,
          .a_column = kRowStep,
          .panels = panels,
          .panel_depth = panel_depth,
          .first = first,
          .depth = depth,
          .row = 0,
          .rows = t.m,
          .begin = 0,
          .end = end};
}

/// Whole rows of C, so that each strip of A is packed by the one task that needs it, a slice at a
/// time that stays in the cache.
void rows_of_turned(const PackedGemm& t, Cells cells, const float* packed, Index panels) {
  const double flop =
      2.0 * static_cast<double>(t.m) * static_cast<double>(t.n) * static_cast<double>(t.k);
  const Index tasks = std::clamp<Index>(static_cast<Index>(flop / kTaskFlop), 1, kMostTasks);
  const Index width = HWY_DYNAMIC_DISPATCH(panel_width)(),
              rows = round_up(chunk_count(t.m, tasks), kRowStep),
              strip_floats = rows * cell_count(cells, std::min(t.k, kSlice));
  parallel_for(t.m, rows, [&](Index begin, Index end) {
    const Storage memory = room_for(strip_floats + (cells == Cells::f32 ? 0 : rows * kAtOnce));
    float* const strips = floats(memory);
    PackedGemm mine = t;
    mine.m = end - begin;
    mine.a = t.a + begin;  // a_row is 1
    mine.c += begin * t.ldc;
    for (Index first = 0; first < t.k; first += kSlice) {
      const Index depth = std::min(kSlice, t.k - first);
      pack_strips(mine, cells, first, depth, strips + strip_floats, strips);
      multiply(cells,
               packed_tile(mine, strips, packed + cell_count(cells, first) * width,
                           cell_count(cells, t.k), first == 0, cell_count(cells, depth), panels));
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
  const Index part = round_up(chunk_count(t.k, kParts), cells == Cells::f32 ? 1 : 2),
              parts = chunk_count(t.k, part), slice = cell_count(cells, kShortSlice);
  const Index size = t.m * t.n, panel_floats = all_panels * width * slice,
              strip_floats = all_strips * kRowStep * slice;
  const Storage sums = room_for(parts * size);
  float* const all = floats(sums);
  parallel_for(parts, 1, [&](Index begin, Index end) {
    const Storage memory =
        room_for(panel_floats + strip_floats + (cells == Cells::f32 ? 0 : t.m * kAtOnce));
    float* const panels = floats(memory);
    float* const strips = panels + panel_floats;
    for (Index i = begin; i < end; ++i) {
      PackedGemm mine = t;
      mine.a = t.a + i * part * t.a_column;
      mine.b = t.b + i * part * t.ldb;
      mine.k = std::min(part, t.k - i * part);
      mine.c = all + i * size;
      mine.ldc = t.n;
      for (Index first = 0; first < mine.k; first += kShortSlice) {
        const Index depth = std::min(kShortSlice, mine.k - first),
                    cell_depth = cell_count(cells, depth);
        pack_panels(mine, cells, first, depth, 0, all_panels, panels);
        pack_strips(mine, cells, first, depth, strips + strip_floats, strips);
        multiply(cells,
                 packed_tile(mine, strips, panels, cell_depth, first == 0, cell_depth, all_panels));
      }
    }
  });
  sum_of_parts(all, parts, size, t.c);
}

}  // namespace

void packed_gemm(const PackedGemm& t) {
  if (t.m <= 0 || t.n <= 0) return;
  const Cells cells = precision() == Precision::bf16 ? bf16_cells() : Cells::f32;
  // One element of a column a cache line: A that is stored (k, m) is packed, too.
  const bool turned = t.a_column != 1, plain = !t.accumulate && !t.bias && t.ldc == t.n;
  if (turned && plain && t.k >= kLongSum && !t.b_transposed && t.m * t.n <= kSmallResult)
    return split_gemm(t, cells);
  const Index width = HWY_DYNAMIC_DISPATCH(panel_width)(), panels = chunk_count(t.n, width);
  const Storage memory = room_for(panels * width * cell_count(cells, t.k));
  float* const packed = floats(memory);
  parallel_for(panels, std::max<Index>(1, kPackGrain / (width * t.k)),
               [&](Index begin, Index end) { pack_panels(t, cells, 0, t.k, begin, end, packed); });
  if (turned)
    rows_of_turned(t, cells, packed, panels);
  else
    tiles_in_place(t, cells, packed, panels);
}

bool packed_gemm_pays(Index m, Index n, Index k) {
  return m >= 4 * kRowStep && n >= 16 && k >= 16 &&
         2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >=
             kLeastFlop;
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
