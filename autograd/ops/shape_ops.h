// Views and rearrangements.
#pragma once

#include <vector>

#include "autograd/ops/dims.h"
#include "core/tensor.h"

namespace weft {

// Any dtype. Views share the elements of x; cat, stack, pad, flip and roll copy them.

/// The same elements in another shape; a view where possible. Shape: (...) -> shape, of which one
/// size may be -1: the one that fits. Gradient: g reshaped back. Throws: ShapeError when the number
/// of elements differs.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Dimensions a and b exchanged; a view. Shape: (..., A, ..., B, ...) -> (..., B, ..., A, ...).
/// Gradient: g transposed back. Throws: IndexError.
Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b);
/// Dimensions in a new order, which may count from the end; a view. Shape: dimension i of the
/// result is dimension order[i] of x. Gradient: the inverse order. Throws: ShapeError unless order
/// is a permutation.
Tensor permute(const Tensor& x, const Shape& order);
/// Stretched by NumPy's rules; a view with stride 0. Shape: (...) -> shape. Gradient: g summed
/// back. Throws: ShapeError unless x broadcasts to shape.
Tensor expand(const Tensor& x, const Shape& shape);
/// A new dimension of size 1, at dim of the result; a view. Shape: (A, B) -> (A, 1, B) for dim 1.
/// Gradient: g squeezed. Throws: IndexError.
Tensor unsqueeze(const Tensor& x, std::int64_t dim);
/// A dimension of size 1 dropped; a view. Shape: (A, 1, B) -> (A, B) for dim 1. Gradient: g
/// unsqueezed. Throws: IndexError for the dimension, ShapeError when its size is not 1.
Tensor squeeze(const Tensor& x, std::int64_t dim);
/// x[begin:end:step] along dim, a view; begin and end may count from the end and are limited to the
/// size, as in Python. Shape: dim becomes (end - begin) / step, rounded up; 0 when end <= begin.
/// Gradient: g into a tensor of zeros. Throws: IndexError for the dimension, ConfigError for step
/// < 1.
Tensor slice(const Tensor& x, std::int64_t dim, std::int64_t begin, std::int64_t end,
             std::int64_t step = 1);
/// x[index] along dim, a view; index may count from the end. Shape: dim is dropped. Gradient: as
/// slice. Throws: IndexError.
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
/// Pieces along dim; views of one node, so that their gradients are joined once. Shape: piece i has
/// size sizes[i] at dim. Gradient: the pieces' joined, zeros for a piece that nothing used. Throws:
/// ShapeError unless sizes sum to the dimension; IndexError.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes,
                          std::int64_t dim);
/// Joined along dim. Shape: equal but at dim, whose sizes add up. Gradient: g's slices.
/// Throws: ShapeError unless the other sizes agree; DTypeError unless the dtypes do; ConfigError
/// for no tensors; IndexError.
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim);
/// Joined along a new dimension, at dim of the result. Shape: N of (A, B) -> (A, N, B) for dim 1.
/// Gradient: g's slices. Throws: ShapeError unless all shapes agree; DTypeError unless the dtypes
/// do; ConfigError for no tensors; IndexError.
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim);
/// `value` added around x: widths holds (before, after) for each of the last dimensions, from the
/// last backwards (as in torch.nn.functional.pad); negative widths crop. Shape: size -> before +
/// size + after. Gradient: g's middle. Throws: ShapeError for an odd number of widths, for more
/// than x has dimensions, and where less than nothing would be left.
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& widths, double value = 0);
/// Order reversed along dims; an empty list reverses none. Shape: (...) -> (...). Gradient: g
/// flipped. Throws: IndexError for a dimension out of range or given twice.
Tensor flip(const Tensor& x, const Dims& dims);
/// Moved by shift along dim; what falls off the end comes back at the start. Shape: (...) -> (...).
/// Gradient: g rolled back. Throws: IndexError.
Tensor roll(const Tensor& x, std::int64_t shift, std::int64_t dim);

}  // namespace weft
