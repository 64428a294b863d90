// Rotation of feature pairs by position.
#pragma once

#include <cstdint>

#include "core/shape.h"

namespace weft::kernels {

/// For every row of x (shape (..., T, D), strides in elements, the last 1) with h = D/2 and c, s
/// row t of the tables (T, h): out[i] = x[i] c[i] - sign x[h + i] s[i], out[h + i] = x[h + i] c[i]
/// + sign x[i] s[i]. out is row-major.
template <class T>
void rope(const Shape& shape, const Shape& strides, const T* x, const T* cosines, const T* sines,
          T sign, T* out);

}  // namespace weft::kernels
