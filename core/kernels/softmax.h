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
void softmax(const float* x, float* y, std::int64_t rows, std::int64_t n);
void softmax(const double* x, double* y, std::int64_t rows, std::int64_t n);
/// dx = y (g - sum(g y)).
void softmax_backward(const float* y, const float* g, float* dx, std::int64_t rows, std::int64_t n);
void softmax_backward(const double* y, const double* g, double* dx, std::int64_t rows,
                      std::int64_t n);
/// y = x - logsumexp(x); a row of only -inf stays -inf.
void log_softmax(const float* x, float* y, std::int64_t rows, std::int64_t n);
void log_softmax(const double* x, double* y, std::int64_t rows, std::int64_t n);
/// dx = g - e^y sum(g).
void log_softmax_backward(const float* y, const float* g, float* dx, std::int64_t rows,
                          std::int64_t n);
void log_softmax_backward(const double* y, const double* g, double* dx, std::int64_t rows,
                          std::int64_t n);

}  // namespace weft::kernels
