#include "core/kernels/copy.h"

#include <cstring>

#include "core/kernels/bf16_cells.h"
#include "core/parallel.h"
#include "core/shape_only.h"

namespace weft::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements a chunk
constexpr std::int64_t kShortRow = 32;    // below this a loop beats a call of memcpy
constexpr std::int64_t kTile = 32;        // rows and columns of a transposed tile

/// One loop nest over both sides, outermost first: sizes above 1, in the order of the target's
/// memory, merged where both sides allow it.
struct Nest {
  int rank = 0;
  std::int64_t size[Shape::kMaxRank];
  std::int64_t to[Shape::kMaxRank];
  std::int64_t from[Shape::kMaxRank];

  void swap(int i, int j) {
    std::swap(size[i], size[j]);
    std::swap(to[i], to[j]);
    std::swap(from[i], from[j]);
  }
};

Nest make_nest(const Shape& shape, const Shape& to_strides, const Shape& from_strides) {
  Nest nest;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == 1) continue;
    int j = nest.rank++;
    nest.size[j] = shape[i];
    nest.to[j] = to_strides[i];
    nest.from[j] = from_strides[i];
    for (; j > 0 && nest.to[j - 1] < nest.to[j]; --j) nest.swap(j - 1, j);
  }
  int merged = 0;
  for (int i = 1; i < nest.rank; ++i) {
    if (nest.to[merged] == nest.to[i] * nest.size[i] &&
        nest.from[merged] == nest.from[i] * nest.size[i]) {
      nest.size[merged] *= nest.size[i];
      nest.to[merged] = nest.to[i];
      nest.from[merged] = nest.from[i];
    } else if (++merged != i) {
      nest.size[merged] = nest.size[i];
      nest.to[merged] = nest.to[i];
      nest.from[merged] = nest.from[i];
    }
  }
  nest.rank = nest.rank == 0 ? 0 : merged + 1;
  return nest;
}

/// Walks the first `dims` dimensions of a nest from a given row on, keeping both offsets.
class Walker {
 public:
  Walker(const Nest& nest, int dims, std::int64_t row) : nest_(nest), dims_(dims) {
    for (int i = dims - 1; i >= 0; --i) {
      index_[i] = row % nest.size[i];
      row /= nest.size[i];
      to += index_[i] * nest.to[i];
      from += index_[i] * nest.from[i];
    }
  }

  void next() {
    for (int i = dims_ - 1; i >= 0; --i) {
      to += nest_.to[i];
      from += nest_.from[i];
      if (++index_[i] < nest_.size[i]) return;
      to -= nest_.to[i] * nest_.size[i];
      from -= nest_.from[i] * nest_.size[i];
      index_[i] = 0;
    }
  }

  std::int64_t to = 0;
  std::int64_t from = 0;

 private:
  const Nest& nest_;
  int dims_;
  std::int64_t index_[Shape::kMaxRank];
};

template <class To, class From>
void copy_row(To* to, std::int64_t to_stride, const From* from, std::int64_t from_stride,
              std::int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    if constexpr (std::is_same_v<To, From>) {
      if (n >= kShortRow) {
        std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(To));
        return;
      }
    }
    if constexpr ((std::is_same_v<To, BFloat16> && std::is_same_v<From, float>) ||
                  (std::is_same_v<To, float> && std::is_same_v<From, BFloat16>)) {
      copy_bf16_row(from, n, to);
      return;
    }
    std::int64_t i = 0;
    constexpr std::int64_t kBlock =
        16;  // a fixed count is what the compiler turns into vector code at -O2
    for (; i + kBlock <= n; i += kBlock) {
      To block[kBlock];
      for (std::int64_t j = 0; j < kBlock; ++j) block[j] = convert<To>(from[i + j]);
      std::memcpy(to + i, block, sizeof block);
    }
    for (; i < n; ++i) to[i] = convert<To>(from[i]);
  } else if (to_stride == 1 && from_stride == 0) {
    constexpr std::int64_t kBlock = 16;
    To block[kBlock];
    std::fill_n(block, kBlock, convert<To>(*from));
    std::int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) std::memcpy(to + i, block, sizeof block);
    std::copy_n(block, n - i, to + i);
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * to_stride] = convert<To>(from[i * from_stride]);
  }
}

template <class To, class From>
void copy_rows(const Nest& nest, To* to, const From* from) {
  const int last = nest.rank - 1;
  const std::int64_t inner = nest.size[last];
  const std::int64_t pieces = chunk_count(inner, kGrain);  // of a row
  std::int64_t rows = 1;
  for (int i = 0; i < last; ++i) rows *= nest.size[i];
  const std::int64_t grain = std::max<std::int64_t>(kGrain / std::min(inner, kGrain), 1);
  parallel_for(rows * pieces, grain, [&](std::int64_t begin, std::int64_t end) {
    Walker at(nest, last, begin / pieces);
    std::int64_t piece = begin % pieces;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = piece * kGrain;
      copy_row(to + at.to + first * nest.to[last], nest.to[last],
               from + at.from + first * nest.from[last], nest.from[last],
               std::min(kGrain, inner - first));
      if (++piece == pieces) {
        piece = 0;
        at.next();
      }
    }
  });
}

constexpr std::int64_t kPatch = 4;

/// A square small enough to be turned in registers.
template <class T>
inline void copy_patch(T* to, std::int64_t to_stride, const T* from, std::int64_t from_stride) {
  T a[kPatch][kPatch];
  T b[kPatch][kPatch];
  for (std::int64_t x = 0; x < kPatch; ++x) std::memcpy(a[x], from + x * from_stride, sizeof a[x]);
  for (std::int64_t y = 0; y < kPatch; ++y)
    for (std::int64_t x = 0; x < kPatch; ++x) b[y][x] = a[x][y];
  for (std::int64_t y = 0; y < kPatch; ++y) std::memcpy(to + y * to_stride, b[y], sizeof b[y]);
}

/// The last two dimensions of the nest run the other way in the source: tiles keep both sides in
/// the cache.
template <class T>
void copy_transposed(const Nest& nest, T* to, const T* from) {
  const int row = nest.rank - 2;
  const int column = nest.rank - 1;
  const std::int64_t rows = nest.size[row];
  const std::int64_t columns = nest.size[column];
  const std::int64_t bands = chunk_count(rows, kTile);
  std::int64_t planes = 1;
  for (int i = 0; i < row; ++i) planes *= nest.size[i];
  const std::int64_t to_stride = nest.to[row];
  const std::int64_t from_stride = nest.from[column];
  const std::int64_t grain = std::max<std::int64_t>(kGrain / (std::min(rows, kTile) * columns), 1);
  parallel_for(planes * bands, grain, [&](std::int64_t begin, std::int64_t end) {
    Walker at(nest, row, begin / bands);
    std::int64_t band = begin % bands;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row_begin = band * kTile;
      const std::int64_t height = std::min(kTile, rows - row_begin);
      T* out = to + at.to + row_begin * to_stride;
      const T* in = from + at.from + row_begin;
      for (std::int64_t c = 0; c < columns; c += kTile) {
        const std::int64_t width = std::min(kTile, columns - c);
        // Through a tile of our own: rows a power of two apart would push each other out of the
        // cache.
        T tile[kTile * kTile];
        std::int64_t x = 0;
        for (; x + kPatch <= width; x += kPatch) {
          const T* column = in + (c + x) * from_stride;
          std::int64_t y = 0;
          for (; y + kPatch <= height; y += kPatch)
            copy_patch(tile + y * kTile + x, kTile, column + y, from_stride);
          for (; y < height; ++y)
            for (std::int64_t j = 0; j < kPatch; ++j)
              tile[y * kTile + x + j] = column[j * from_stride + y];
        }
        for (; x < width; ++x)
          for (std::int64_t y = 0; y < height; ++y)
            tile[y * kTile + x] = in[(c + x) * from_stride + y];
        for (std::int64_t y = 0; y < height; ++y) {
          T* line = out + y * to_stride + c;
          if (width == kTile)
            std::memcpy(line, tile + y * kTile, kTile * sizeof(T));
          else
            std::copy_n(tile + y * kTile, width, line);
        }
      }
      if (++band == bands) {
        band = 0;
        at.next();
      }
    }
  });
}

template <class To, class From>
void copy_nest(Nest nest, To* to, const From* from) {
  const int last = nest.rank - 1;
  if (nest.rank == 0) {
    *to = convert<To>(*from);
    return;
  }
  if constexpr (std::is_same_v<To, From>) {
    if (nest.rank >= 2 && nest.to[last] == 1 && nest.from[last] > 1 && nest.size[last] >= 4) {
      for (int i = 0; i < last; ++i) {
        if (nest.from[i] != 1 || nest.size[i] < 4) continue;
        for (; i + 1 < last; ++i) nest.swap(i, i + 1);
        copy_transposed(nest, to, from);
        return;
      }
    }
  }
  copy_rows(nest, to, from);
}

}  // namespace

void copy_strided(const Shape& shape, std::byte* to, DType to_dtype, const Shape& to_strides,
                  const std::byte* from, DType from_dtype, const Shape& from_strides) {
  for (const std::int64_t size : shape)
    if (size == 0) return;
  const Nest nest = make_nest(shape, to_strides, from_strides);
  compute_any(to_dtype, [&](auto to_zero) {
    compute_any(from_dtype, [&](auto from_zero) {
      using To = decltype(to_zero);
      using From = decltype(from_zero);
      copy_nest(nest, reinterpret_cast<To*>(to), reinterpret_cast<const From*>(from));
    });
  });
}

}  // namespace weft::kernels
