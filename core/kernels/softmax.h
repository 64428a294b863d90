// Softmax and its logarithm over contiguous rows: rows x n elements each. Rows are spread over
// threads.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// Rows a chunk of parallel_for takes, so that it holds about 16k elements.
constexpr std::int64_t rows_per_chunk(std::int64_t n) {
  return n >= 16384 ? 1 : 16384 / (n > 0 ? n : 1);
}

/// y = e^(x - max) / sum; a row of only -inf gives zeros.
template <class T>
void softmax(const T* x, T* y, std::int64_t rows, std::int64_t n);
/// dx = y (g - sum(g y)).
template <class T>
void softmax_backward(const T* y, const T* g, T* dx, std::int64_t rows, std::int64_t n);
/// y = x - logsumexp(x); a row of only -inf stays -inf.
template <class T>
void log_softmax(const T* x, T* y, std::int64_t rows, std::int64_t n);
/// dx = g - e^y sum(g).
template <class T>
void log_softmax_backward(const T* y, const T* g, T* dx, std::int64_t rows, std::int64_t n);

}  // namespace weft::kernels
