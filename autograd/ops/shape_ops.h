// Views and rearrangements.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace weft {

/// The same elements in another shape; a view where possible. One size may be -1. Gradient: g reshaped back. Throws: ShapeError.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Dimensions a and b exchanged; a view. Gradient: g transposed back. Throws: IndexError.
Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b);
/// Dimensions in a new order; a view. Gradient: the inverse order. Throws: ShapeError unless order is a permutation.
Tensor permute(const Tensor& x, const Shape& order);
/// Stretched to shape; a view with stride 0. Gradient: g summed back. Throws: ShapeError.
Tensor expand(const Tensor& x, const Shape& shape);
/// A new dimension of size 1 / a dimension of size 1 dropped; views.
Tensor unsqueeze(const Tensor& x, std::int64_t dim);
Tensor squeeze(const Tensor& x, std::int64_t dim);
/// x[begin:end:step] along dim, a view; begin and end may count from the end and are limited to the size, as in Python. step >= 1.
/// Gradient: g into a tensor of zeros. Throws: IndexError for the dimension, ConfigError for step < 1.
Tensor slice(const Tensor& x, std::int64_t dim, std::int64_t begin, std::int64_t end, std::int64_t step = 1);
/// x[index] along dim, that dimension dropped; a view. Gradient: as slice. Throws: IndexError.
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
/// Pieces of the given sizes along dim; views of one node, so that their gradients are joined once. Throws: ShapeError unless sizes sum to the dimension.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, std::int64_t dim);
/// Joined along dim. Any equal dtype. Gradient: g's slices. Throws: ShapeError unless all other sizes agree; ConfigError for no tensors.
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim);
/// Joined along a new dim. Throws: ShapeError unless all shapes agree.
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim);
/// `value` added around: widths holds (before, after) for each of the last dimensions, from the last backwards (as in
/// torch.nn.functional.pad); negative widths crop. Gradient: g's middle. Throws: ShapeError.
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value = 0);
/// Order reversed along dims. Gradient: g flipped. Throws: IndexError.
Tensor flip(const Tensor& x, const std::vector<std::int64_t>& dims);
/// Moved by shift along dim, what falls off the end comes back at the start. Gradient: g rolled back. Throws: IndexError.
Tensor roll(const Tensor& x, std::int64_t shift, std::int64_t dim);

}  // namespace weft
