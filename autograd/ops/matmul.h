// Products of matrices.
#pragma once

#include <string_view>

#include "core/tensor.h"

namespace weft {

/// Matrix product, batched. Shape: (..., M, K), (..., K, N) -> (broadcast..., M, N); a 1-d operand
/// is a row or a column whose dimension is dropped again. Transposed views are read in place.
/// Gradient: g b^T, a^T g. Throws: ShapeError, DTypeError.
Tensor matmul(const Tensor& a, const Tensor& b);

/// x weight^T + bias. Shape: x (..., I), weight (O, I), bias (O,) or undefined -> (..., O).
/// Gradient: g weight, g^T x, g summed. Throws: ShapeError, DTypeError.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = Tensor());

/// Sums of products named by letters, as NumPy's einsum, for one or two operands, explicit output
/// (`"bhqd,bhkd->bhqk"`); a letter missing from the output is summed; a letter may not repeat
/// within an operand. Gradient: einsum of g and the other operand. Shape: a size for each letter,
/// the same wherever it occurs -> those of the output's letters. Throws: ConfigError for a formula
/// it cannot read, ShapeError for sizes that disagree.
Tensor einsum(std::string_view formula, const Tensor& a, const Tensor& b);
Tensor einsum(std::string_view formula, const Tensor& a);

}  // namespace weft
