// Softmax cross-entropy over contiguous rows of logits, without storing probabilities.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// The loss of row i with target t and shift-free log p = x - lse:
///   (1 - smoothing) w_t (-log p_t)  +  smoothing / n  sum_c w_c (-log p_c);   0 where t ==
///   ignore_index.
template <class T>
struct CrossEntropyArgs {
  std::int64_t rows = 0, n = 0;
  const T* logits = nullptr;
  const std::int64_t* targets = nullptr;  ///< (rows,), valid classes or ignore_index
  const T* weights = nullptr;             ///< (n,) or null: all 1
  T weight_sum = 0;                       ///< sum of the weights; n without
  T smoothing = 0;
  std::int64_t ignore_index = -100;
};

/// loss (rows,) and log-sum-exp (rows,).
template <class T>
void cross_entropy_forward(const CrossEntropyArgs<T>& args, T* loss, T* lse);
/// dx (rows, n), where `scale` (rows,) is the gradient of each row's loss.
template <class T>
void cross_entropy_backward(const CrossEntropyArgs<T>& args, const T* lse, const T* scale, T* dx);

}  // namespace weft::kernels
