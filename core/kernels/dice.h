// The activation Dice over the columns of a row-major matrix (rows, channels). T is float or
// double. Rows are taken in chunks fixed by the shape, whose sums are added in order.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// What stands beside x: all (channels,). h = (x - mean) rstd, p = sigmoid(h).
template <class T>
struct DiceColumns {
  const T *mean, *rstd, *alpha;
};

/// Mean and variance (divisor rows) of each column, in two passes.
template <class T>
void column_statistics(std::int64_t rows, std::int64_t channels, const T* x, T* mean, T* variance);

/// out = x (alpha + p (1 - alpha)).
template <class T>
void dice(std::int64_t rows, std::int64_t channels, const T* x, const DiceColumns<T>& columns,
          T* out);

/// With q = g x (1 - alpha) p (1 - p), the gradient of h: sums over each column of q, of q h, and
/// of g x (1 - p), which is alpha's gradient.
template <class T>
void dice_sums(std::int64_t rows, std::int64_t channels, const T* x, const T* g,
               const DiceColumns<T>& columns, T* sum_q, T* sum_qh, T* grad_alpha);

/// dx = g (alpha + p (1 - alpha)) + rstd (q - mean_q - h mean_qh).
template <class T>
void dice_gradient(std::int64_t rows, std::int64_t channels, const T* x, const T* g,
                   const DiceColumns<T>& columns, const T* mean_q, const T* mean_qh, T* dx);

}  // namespace weft::kernels
