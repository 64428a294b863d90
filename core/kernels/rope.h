// Rotation of feature pairs by position.
#pragma once

#include <cstdint>

#include "core/shape.h"

namespace weft::kernels {

/// For every row of x (shape (..., T, D), strides in elements, the last 1) with h = D/2 and c, s
/// row t of the tables (T, h): out[i] = x[i] c[i] - sign x[h + i] s[i], out[h + i] = x[h + i] c[i]
/// + sign x[i] s[i]. out is row-major.
void rope(const Shape& shape, const Shape& strides, const float* x, const float* cosines,
          const float* sines, float sign, float* out);
void rope(const Shape& shape, const Shape& strides, const double* x, const double* cosines,
          const double* sines, double sign, double* out);

}  // namespace weft::kernels
