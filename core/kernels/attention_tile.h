// What attention does to one tile of scores between its matrix products. Serial: the caller owns
// the threads.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// Running softmax of algorithm 1 of FlashAttention, one entry a query row.
template <class T>
struct RunningSoftmax {
  T* largest;     ///< maximum so far, -inf at first
  T* sum;         ///< sum of e^(score - largest) so far
  T* correction;  ///< out: what earlier sums and outputs must be multiplied by
};

/// Tiles have room at the end of their rows: columns up to the next multiple of this may be read
/// and written, whatever they hold.
constexpr std::int64_t kTilePadding = 64;

/// Row r of s (rows x cols, row stride ld) becomes e^(s - new maximum) in its first visible[r]
/// columns and 0 in the others, whatever they held.
void softmax_tile(float* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                  const std::int64_t* visible, const RunningSoftmax<float>& state);
void softmax_tile(double* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                  const std::int64_t* visible, const RunningSoftmax<double>& state);
/// s becomes e^(s - lse[r]) in the first visible[r] columns and 0 in the others.
void exp_tile(float* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
              const std::int64_t* visible, const float* lse);
void exp_tile(double* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
              const std::int64_t* visible, const double* lse);
/// dp becomes p (dp - delta[r]) in the first visible[r] columns and 0 in the others.
void softmax_backward_tile(const float* p, float* dp, std::int64_t ld, std::int64_t rows,
                           std::int64_t cols, const std::int64_t* visible, const float* delta);
void softmax_backward_tile(const double* p, double* dp, std::int64_t ld, std::int64_t rows,
                           std::int64_t cols, const std::int64_t* visible, const double* delta);
/// Column j of row r is multiplied by diagonal[j - r] in its first visible[r] columns, and 0 in the
/// others, whatever they held. `diagonal` points at the middle of an array that reaches as far as
/// the tile, both ways.
void scale_diagonals(float* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                     const std::int64_t* visible, const float* diagonal);
void scale_diagonals(double* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                     const std::int64_t* visible, const double* diagonal);
/// Row r of x is multiplied by factor[r].
void scale_rows(float* x, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                const float* factor);
void scale_rows(double* x, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                const double* factor);
/// out[r] = scale * <a_r, b_r>. A row stride of 0 repeats a row.
void dot_rows(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, std::int64_t rows,
              std::int64_t n, float scale, float* out);
void dot_rows(const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
              std::int64_t rows, std::int64_t n, double scale, double* out);
/// out = sum over r of factor[r] * row r of x.
void weighted_sum(const float* factor, const float* x, std::int64_t ld, std::int64_t rows,
                  std::int64_t n, float* out);
void weighted_sum(const double* factor, const double* x, std::int64_t ld, std::int64_t rows,
                  std::int64_t n, double* out);

}  // namespace weft::kernels
