// Changes of single pictures, as Pillow makes them to within a level: what augmentation is made of.
#pragma once

#include <array>
#include <cstdint>

#include "core/tensor.h"

namespace weft::data {

// Pictures are u8 (C, H, W) with C 1 or 3; each function gives a new one of the same shape. Throws:
// ShapeError, DTypeError.

/// From black at 0 over the picture at 1 to lighter ones.
Tensor adjust_brightness(const Tensor& picture, double factor);
/// From the mean luma everywhere at 0 over the picture at 1.
Tensor adjust_contrast(const Tensor& picture, double factor);
/// From gray at 0 over the picture at 1. Gray pictures stay what they are.
Tensor adjust_color(const Tensor& picture, double factor);
/// From smoothed (a 3 x 3 kernel of 1 around 5, over 13) at 0 over the picture at 1.
Tensor adjust_sharpness(const Tensor& picture, double factor);
/// Each channel stretched to 0 .. 255.
Tensor autocontrast(const Tensor& picture);
/// Each channel's levels spread evenly.
Tensor equalize(const Tensor& picture);
/// The upper `bits` (0 to 8) of each value.
Tensor posterize(const Tensor& picture, int bits);
/// 255 - value from `threshold` on.
Tensor solarize(const Tensor& picture, int threshold);
/// The pixel at (x, y) of the result is that at (m0 x + m1 y + m2, m3 x + m4 y + m5) of the
/// picture, pixel centers at halves, bilinear; `fill` where that lies outside.
Tensor affine(const Tensor& picture, const std::array<double, 6>& matrix, int fill);
/// Turned counterclockwise around its middle.
Tensor rotate(const Tensor& picture, double degrees, int fill);
/// Rows [top, top + height), columns [left, left + width) scaled to the picture's own size.
Tensor crop_and_resize(const Tensor& picture, std::int64_t top, std::int64_t left,
                       std::int64_t height, std::int64_t width);

}  // namespace weft::data
