// Reading and writing by index. Indices are i32 or i64 and checked: IndexError names the first bad one.
#pragma once

#include "core/tensor.h"

namespace weft {

/// Rows of a table. Shape: weight (V, C), ids (...) -> (..., C). Gradient: rows of g added up per id, in index order. Throws: IndexError, ShapeError.
Tensor embedding(const Tensor& weight, const Tensor& ids);
/// x[..., index[i], ...] along dim. Shape: index (N,) -> dim becomes N. Gradient: added back. Throws: IndexError, ShapeError.
Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);
/// out[i][j] = x[index[i][j]][j] for dim 0. Shape: index has x's rank and in other dimensions at most its sizes; the result has index's.
/// Gradient: added back. Throws: IndexError, ShapeError.
Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index);
/// As gather, but the other dimensions of x and index broadcast (NumPy's take_along_axis). Gradient: as gather.
Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t dim);
/// x with source added at index along dim: out[index[i][j]][j] += source[i][j] for dim 0. index and source have equal shape. Gradient: g, gather(g).
Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source);

}  // namespace weft
