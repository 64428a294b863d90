// Rotary position embedding.
#pragma once

#include "core/tensor.h"

namespace weft {

/// Feature pair (i, D/2 + i) of the vector at position p = first_position + t turned by the angle p
/// base^(-2i/D), so that a product of two such vectors depends on their distance alone. Shape: x
/// (..., T, D), D even -> (..., T, D). Strided views are read in place. Gradient: g turned back.
/// Throws: ShapeError for an odd D or fewer than two dimensions; ConfigError for a position outside
/// 0 .. 2^24 or base <= 0. Source: Su et al. 2021 (arXiv 2104.09864), eq. 34; it pairs features
/// (2i, 2i + 1), the same but for their order.
Tensor rope(const Tensor& x, std::int64_t first_position = 0, double base = 10000);

}  // namespace weft
