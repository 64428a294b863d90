// Sums, means, extremes and running sums over dimensions.
#pragma once

#include "autograd/ops/dims.h"
#include "core/tensor.h"

namespace weft {

// Reductions: Shape: (...) -> the reduced dimensions dropped, or of size 1 with keepdim. No
// dimensions: all. Throws: IndexError for a dimension out of range or given twice; DTypeError for
// integers unless said otherwise. What expand() repeats is read once.

/// Sum; 0 over nothing. Partial sums are combined in index order. Gradient: g, stretched back.
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Mean; NaN over nothing. Gradient: g / count.
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Variance with divisor (count - correction). Gradient: 2 g (x - mean) / (count - correction).
/// Throws: NumericError when count <= correction.
Tensor var(const Tensor& x, const Dims& dims = {}, int correction = 1, bool keepdim = false);
/// Largest element. Gradient: to it; shared equally at a tie. NaN wins, and shares with other NaNs.
/// Throws: ShapeError over nothing.
Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Smallest element. Gradient: as max.
Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Index (i64) of the first largest element along dim. Any dtype. No gradient.
Tensor argmax(const Tensor& x, std::int64_t dim = -1, bool keepdim = false);
/// log sum exp, without overflow; -inf over nothing. Gradient: g softmax(x).
Tensor logsumexp(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Running sum along dim. Shape: (...) -> (...). Gradient: the running sum of g from the end.
Tensor cumsum(const Tensor& x, std::int64_t dim);

/// Sums x down to `shape`, the inverse of broadcasting. Gradient: g, stretched back. Throws:
/// ShapeError unless shape broadcasts to x's.
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace weft
