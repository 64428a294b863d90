// Products of features, two by two.
#pragma once

#include "core/tensor.h"

namespace weft {

/// Sum over all pairs i < j of <v_i, v_j> x_i x_j, where row i of `factors` is v_i. Computed as
/// half of sum_f ((sum_i v_if x_i)^2 - sum_i v_if^2 x_i^2), whose cost is linear in N, not
/// quadratic. Shape: x (B, N), factors (N, K) -> (B,). Gradient: x_i sum_j v_jf x_j - v_if x_i^2 to
/// v_if, of its parts to both. Throws: ShapeError, DTypeError. Source: Rendle 2010, "Factorization
/// Machines" (ICDM), eq. 1 and lemma 3.1.
Tensor pairwise_interactions(const Tensor& x, const Tensor& factors);

}  // namespace weft
