// Moving elements between two layouts: what cat, pad, flip, roll and the patch fast path of conv2d are made of.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/shape.h"

namespace weft::kernels {

/// out[i . out_strides] = in[i . in_strides] for every index i of `sizes`. Strides count elements; those of
/// `in` may be 0 or negative. No two indices may name the same element of `out`. Rows are copied in parallel; where the two layouts
/// disagree about the innermost dimension the copy goes by square blocks, so that both sides stay in the cache.
void copy_strided(std::byte* out, const Shape& out_strides, const std::byte* in, const Shape& in_strides, const Shape& sizes, DType dtype);

}  // namespace weft::kernels
