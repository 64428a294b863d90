// Reductions of row-major tensors, seen as (outer, n, inner) with the middle dimension reduced.
#pragma once

#include <cstdint>

namespace weft::kernels {

enum class Reduce : std::uint8_t { sum, max, min };

/// out (outer, inner) = reduction of x (outer, n, inner) over n; n == 0 gives 0, -infinity or
/// infinity. max and min pass a NaN on. Work is cut into blocks by shape alone and block results
/// are combined in index order: the same bits for any number of threads. An f32 sum adds at most 64
/// values a lane in f32 and everything above in f64: relative to the sum of magnitudes its error
/// stays below 4e-6, as a rule below 1e-7.
template <class T>
void reduce(Reduce op, const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, T* out);

/// Running sums along n, added up in f64; from the end when `reverse`. T: float or double.
template <class T>
void cumsum(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, bool reverse,
            T* out);

/// Index along n of the first largest element, of the first NaN where there is one. n >= 1. T:
/// every weft dtype.
template <class T>
void argmax(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t* out);

}  // namespace weft::kernels
