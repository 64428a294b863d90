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
template <class T>
void softmax_tile(T* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                  const std::int64_t* visible, const RunningSoftmax<T>& state);
/// s becomes e^(s - lse[r]) in the first visible[r] columns and 0 in the others.
template <class T>
void exp_tile(T* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
              const std::int64_t* visible, const T* lse);
/// dp becomes p (dp - delta[r]) in the first visible[r] columns and 0 in the others.
template <class T>
void softmax_backward_tile(const T* p, T* dp, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                           const std::int64_t* visible, const T* delta);
/// Column j of row r is multiplied by diagonal[j - r] in its first visible[r] columns, and 0 in the
/// others, whatever they held. `diagonal` points at the middle of an array that reaches as far as
/// the tile, both ways.
template <class T>
void scale_diagonals(T* s, std::int64_t ld, std::int64_t rows, std::int64_t cols,
                     const std::int64_t* visible, const T* diagonal);
/// Row r of x is multiplied by factor[r].
template <class T>
void scale_rows(T* x, std::int64_t ld, std::int64_t rows, std::int64_t cols, const T* factor);
/// out[r] = scale * <a_r, b_r>. A row stride of 0 repeats a row.
template <class T>
void dot_rows(const T* a, std::int64_t lda, const T* b, std::int64_t ldb, std::int64_t rows,
              std::int64_t n, T scale, T* out);
/// out = sum over r of factor[r] * row r of x.
template <class T>
void weighted_sum(const T* factor, const T* x, std::int64_t ld, std::int64_t rows, std::int64_t n,
                  T* out);

}  // namespace weft::kernels
