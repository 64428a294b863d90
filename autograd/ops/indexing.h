// Reading and adding by index. Indices are i32 or i64, count from the front, and are checked:
// IndexError names the first bad one.
#pragma once

#include "core/tensor.h"

namespace weft {

/// Rows of a table. Shape: weight (V, C), ids (...) -> (..., C). Gradient: rows of g added up per
/// id, in the order of the ids. Throws: IndexError, ShapeError unless weight is a matrix,
/// DTypeError.
Tensor embedding(const Tensor& weight, const Tensor& ids);
/// x[..., index[i], ...] along dim. Shape: index (N,) -> dim becomes N. Gradient: added back, in
/// the order of the index. Throws: IndexError, ShapeError unless index has one dimension,
/// DTypeError.
Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);
/// out[i][j] = x[index[i][j]][j] for dim 0. Shape: index has x's rank and in other dimensions at
/// most its sizes; the result has index's. Gradient: added back. Throws: IndexError, ShapeError,
/// DTypeError.
Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index);
/// As gather, but the other dimensions of x and index broadcast (NumPy's take_along_axis). Shape:
/// those broadcast, and index's size at dim. Gradient: added back, summed where x was stretched.
/// Throws: IndexError, ShapeError, DTypeError.
Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t dim);
/// x with source added at index along dim: out[index[i][j]][j] += source[i][j] for dim 0. Shape:
/// index and source equal, and as in gather -> x's. Gradient: g, and gather(g, dim, index) for
/// source. Throws: IndexError, ShapeError, DTypeError.
Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source);

}  // namespace weft
