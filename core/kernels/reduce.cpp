#include "core/kernels/reduce.h"

#include <algorithm>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/reduce.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/rows-inl.h"
#include "core/kernels/simd-inl.h"
#include "core/parallel.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

struct SumOp {
  static HWY_INLINE FloatVec combine(FloatVec a, FloatVec b) { return hn::Add(a, b); }
};
// a where it wins or is NaN, else b, which may be NaN itself.
struct MaxOp {
  static HWY_INLINE FloatVec combine(FloatVec a, FloatVec b) {
    return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  }
};
struct MinOp {
  static HWY_INLINE FloatVec combine(FloatVec a, FloatVec b) {
    return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::IsNaN(a)), a, b);
  }
};

/// Lanes of four independent accumulators over x[0..n).
template <class Op>
HWY_INLINE Lanes<float> row_lanes(const float* x, std::int64_t n, float identity) {
  using L = Lanes<float>;
  const auto combine = [](const L& a, const L& b) HWY_ATTR {
    return each([](auto u, auto v) HWY_ATTR { return Op::combine(u, v); }, a, b);
  };
  L s0 = L::all(identity), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 = combine(s0, L::load(x + i));
    s1 = combine(s1, L::load(x + i + kLanes));
    s2 = combine(s2, L::load(x + i + 2 * kLanes));
    s3 = combine(s3, L::load(x + i + 3 * kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) s0 = combine(s0, L::load(x + i));
  if (i < n) s1 = combine(s1, L::load_tail(x + i, n - i, identity));
  return combine(combine(s0, s1), combine(s2, s3));
}

/// Reduction of x[0..n) as a double.
double RowF32(Reduce op, const float* x, std::int64_t n) {
  float lanes[kLanes];
  if (op == Reduce::sum) {
    // At most 128 values a lane, then f64.
    constexpr std::int64_t kBlock = 128 * kLanes;
    double total = 0;
    for (std::int64_t start = 0; start < n; start += kBlock) {
      row_lanes<SumOp>(x + start, std::min(n - start, kBlock), 0.0f).store(lanes);
      for (const float lane : lanes) total += static_cast<double>(lane);
    }
    return total;
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  (op == Reduce::max ? row_lanes<MaxOp>(x, n, -kInfinity) : row_lanes<MinOp>(x, n, kInfinity))
      .store(lanes);
  float best = lanes[0];
  for (const float v : lanes)
    if (v != v || (op == Reduce::max ? v > best : v < best)) best = best != best ? best : v;
  return static_cast<double>(best);
}

/// out[j] = reduction of x[r * stride + j] over rows r, for j < cols: columns in registers, down
/// the rows.
template <class Op>
HWY_INLINE void columns_with(const float* x, std::int64_t rows, std::int64_t stride,
                             std::int64_t cols, float* out, float identity) {
  const FloatTag d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + 4 * step <= cols; j += 4 * step) {
    FloatVec s0 = hn::Set(d, identity), s1 = s0, s2 = s0, s3 = s0;
    const float* p = x + j;
    for (std::int64_t r = 0; r < rows; ++r, p += stride) {
      s0 = Op::combine(s0, hn::LoadU(d, p));
      s1 = Op::combine(s1, hn::LoadU(d, p + step));
      s2 = Op::combine(s2, hn::LoadU(d, p + 2 * step));
      s3 = Op::combine(s3, hn::LoadU(d, p + 3 * step));
    }
    hn::StoreU(s0, d, out + j);
    hn::StoreU(s1, d, out + j + step);
    hn::StoreU(s2, d, out + j + 2 * step);
    hn::StoreU(s3, d, out + j + 3 * step);
  }
  for (; j + step <= cols; j += step) {
    FloatVec s = hn::Set(d, identity);
    for (std::int64_t r = 0; r < rows; ++r) s = Op::combine(s, hn::LoadU(d, x + r * stride + j));
    hn::StoreU(s, d, out + j);
  }
  if (j < cols) {
    FloatVec s = hn::Set(d, identity);
    for (std::int64_t r = 0; r < rows; ++r)
      s = Op::combine(s, load_partial(d, x + r * stride + j, cols - j, identity));
    store_partial(d, s, out + j, cols - j);
  }
}

void ColumnsF32(Reduce op, const float* x, std::int64_t rows, std::int64_t stride,
                std::int64_t cols, float* out) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (op) {
    case Reduce::sum:
      return columns_with<SumOp>(x, rows, stride, cols, out, 0.0f);
    case Reduce::max:
      return columns_with<MaxOp>(x, rows, stride, cols, out, -kInfinity);
    case Reduce::min:
      return columns_with<MinOp>(x, rows, stride, cols, out, kInfinity);
  }
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(RowF32);
HWY_EXPORT(ColumnsF32);

constexpr std::int64_t kGrain = 16384;   // elements a task
constexpr std::int64_t kBlockRows = 64;  // rows of a column block: what f32 adds up before f64 does
constexpr std::int64_t kTileColumns = 4096;

double identity_of(Reduce op) {
  if (op == Reduce::sum) return 0;
  return op == Reduce::max ? -std::numeric_limits<double>::infinity()
                           : std::numeric_limits<double>::infinity();
}

template <class T>
T combine(Reduce op, T a, T b) {
  if (op == Reduce::sum) return a + b;
  return (op == Reduce::max ? a > b : a < b) || a != a ? a : b;
}

double row(Reduce op, const float* x, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(RowF32)(op, x, n);
}

double row(Reduce op, const double* x, std::int64_t n) {
  double total = identity_of(op);
  for (std::int64_t i = 0; i < n; ++i) total = combine(op, total, x[i]);
  return total;
}

void columns(Reduce op, const float* x, std::int64_t rows, std::int64_t stride, std::int64_t cols,
             float* out) {
  HWY_DYNAMIC_DISPATCH(ColumnsF32)(op, x, rows, stride, cols, out);
}

void columns(Reduce op, const double* x, std::int64_t rows, std::int64_t stride, std::int64_t cols,
             double* out) {
  for (std::int64_t j = 0; j < cols; ++j) out[j] = identity_of(op);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t j = 0; j < cols; ++j) out[j] = combine(op, out[j], x[r * stride + j]);
}

/// Each of `outer` rows of n neighbors; long rows in blocks.
template <class T>
void reduce_rows(Reduce op, const T* x, std::int64_t outer, std::int64_t n, T* out) {
  if (n <= 4 * kGrain) {
    parallel_for(outer, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(n, 1)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i)
                     out[i] = static_cast<T>(row(op, x + i * n, n));
                 });
    return;
  }
  const std::int64_t blocks = chunk_count(n, kGrain);
  std::vector<double> partial(static_cast<std::size_t>(outer * blocks));
  parallel_for(outer * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t start = item % blocks * kGrain;
      partial[static_cast<std::size_t>(item)] =
          row(op, x + item / blocks * n + start, std::min(kGrain, n - start));
    }
  });
  for (std::int64_t i = 0; i < outer; ++i) {
    double total = partial[static_cast<std::size_t>(i * blocks)];
    for (std::int64_t block = 1; block < blocks; ++block)
      total = combine(op, total, partial[static_cast<std::size_t>(i * blocks + block)]);
    out[i] = static_cast<T>(total);
  }
}

/// Down the columns of `outer` matrices n x inner: tiles of columns, blocks of rows.
template <class T>
void reduce_columns(Reduce op, const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner,
                    T* out) {
  const std::int64_t blocks = std::max<std::int64_t>(1, chunk_count(n, kBlockRows)),
                     tiles = chunk_count(inner, kTileColumns);
  std::vector<T> partial(static_cast<std::size_t>(blocks > 1 ? outer * blocks * inner : 0));
  const std::int64_t item_work =
      std::max<std::int64_t>(1, std::min(n, kBlockRows)) * std::min(inner, kTileColumns);
  parallel_for(
      outer * blocks * tiles, std::max<std::int64_t>(1, kGrain / item_work),
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin; item < end; ++item) {
          const std::int64_t tile = item % tiles, block = item / tiles % blocks,
                             o = item / tiles / blocks;
          const std::int64_t row0 = block * kBlockRows, col0 = tile * kTileColumns;
          T* to =
              (blocks > 1 ? partial.data() + (o * blocks + block) * inner : out + o * inner) + col0;
          columns(op, x + (o * n + row0) * inner + col0, std::min(kBlockRows, n - row0), inner,
                  std::min(kTileColumns, inner - col0), to);
        }
      });
  if (blocks == 1) return;
  parallel_for(
      outer * tiles, std::max<std::int64_t>(1, kGrain / (blocks * std::min(inner, kTileColumns))),
      [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> total(static_cast<std::size_t>(std::min(inner, kTileColumns)));
        for (std::int64_t item = begin; item < end; ++item) {
          const std::int64_t o = item / tiles, col0 = item % tiles * kTileColumns,
                             cols = std::min(kTileColumns, inner - col0);
          std::fill(total.begin(), total.end(), identity_of(op));
          for (std::int64_t block = 0; block < blocks; ++block) {
            const T* p = partial.data() + (o * blocks + block) * inner + col0;
            for (std::int64_t j = 0; j < cols; ++j)
              total[static_cast<std::size_t>(j)] =
                  combine(op, total[static_cast<std::size_t>(j)], static_cast<double>(p[j]));
          }
          for (std::int64_t j = 0; j < cols; ++j)
            out[o * inner + col0 + j] = static_cast<T>(total[static_cast<std::size_t>(j)]);
        }
      });
}

template <class T>
void reduce_any(Reduce op, const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner,
                T* out) {
  if (outer == 0 || inner == 0) return;
  if (inner == 1)
    reduce_rows(op, x, outer, n, out);
  else
    reduce_columns(op, x, outer, n, inner, out);
}

}  // namespace

template <class T>
void reduce(Reduce op, const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, T* out) {
  reduce_any(op, x, outer, n, inner, out);
}

template <class T>
void cumsum(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, bool reverse,
            T* out) {
  constexpr std::int64_t kTile = 64;
  const std::int64_t tiles = chunk_count(inner, kTile);
  const std::int64_t work = std::max<std::int64_t>(1, n * std::min(inner, kTile));
  parallel_for(outer * tiles, std::max<std::int64_t>(1, kGrain / work),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t item = begin; item < end; ++item) {
                   const std::int64_t start = item / tiles * n * inner + item % tiles * kTile;
                   const std::int64_t cols = std::min(kTile, inner - item % tiles * kTile);
                   if (inner == 1) {
                     double running = 0;
                     for (std::int64_t i = 0; i < n; ++i) {
                       const std::int64_t at = start + (reverse ? n - 1 - i : i);
                       running += static_cast<double>(x[at]);
                       out[at] = static_cast<T>(running);
                     }
                     continue;
                   }
                   double total[kTile] = {};
                   for (std::int64_t i = 0; i < n; ++i) {
                     const std::int64_t at = start + (reverse ? n - 1 - i : i) * inner;
                     for (std::int64_t j = 0; j < cols; ++j) {
                       total[j] += static_cast<double>(x[at + j]);
                       out[at + j] = static_cast<T>(total[j]);
                     }
                   }
                 }
               });
}

template <class T>
void argmax(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t* out) {
  parallel_for(outer * inner, std::max<std::int64_t>(1, kGrain / n),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t item = begin; item < end; ++item) {
                   const T* p = x + item / inner * n * inner + item % inner;
                   std::int64_t best = 0;
                   for (std::int64_t i = 1; i < n && p[best * inner] == p[best * inner]; ++i) {
                     const T v = p[i * inner];
                     if (v > p[best * inner] || v != v) best = i;
                   }
                   out[item] = best;
                 }
               });
}

template void cumsum(const float*, std::int64_t, std::int64_t, std::int64_t, bool, float*);
template void cumsum(const double*, std::int64_t, std::int64_t, std::int64_t, bool, double*);
template void argmax(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t*);
template void argmax(const double*, std::int64_t, std::int64_t, std::int64_t, std::int64_t*);
template void argmax(const std::int32_t*, std::int64_t, std::int64_t, std::int64_t, std::int64_t*);
template void argmax(const std::int64_t*, std::int64_t, std::int64_t, std::int64_t, std::int64_t*);
template void argmax(const std::uint8_t*, std::int64_t, std::int64_t, std::int64_t, std::int64_t*);

template void reduce(Reduce, const float*, std::int64_t, std::int64_t, std::int64_t, float*);
template void reduce(Reduce, const double*, std::int64_t, std::int64_t, std::int64_t, double*);

}  // namespace weft::kernels
#endif
