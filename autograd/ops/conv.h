// Convolution and pooling over images, (batch, channels, height, width).
#pragma once

#include "core/size2.h"
#include "core/tensor.h"

namespace weft {

struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;  ///< zeros on both sides
  std::int64_t groups = 1;
};
/// Cross-correlation. Shape: x (B, C, H, W), weight (O, C / groups, KH, KW), bias (O,) or undefined
/// -> (B, O, H', W') with H' = (H + 2 padding - KH) / stride + 1. Gradient: to all three, as matrix
/// products over patches. Throws: ShapeError, ConfigError, DTypeError. Windows that tile the image
/// (kernel == stride, no padding) give a result whose channels lie last in memory: a view, not
/// row-major.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = Tensor(),
              const Conv2dOptions& options = {});

struct Pool2dOptions {
  Size2 kernel = 2;
  Size2 stride = 0;   ///< 0: the kernel's
  Size2 padding = 0;  ///< at most half the kernel
};
/// Largest element of each window; padding never wins, NaN always does. Shape: (B, C, H, W) -> (B,
/// C, H', W') as conv2d. Gradient: to the first largest. Throws: ShapeError, ConfigError,
/// DTypeError.
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options = {});
/// Mean of each window, padding counted as zeros. Shape: as max_pool2d. Gradient: shared equally.
/// Throws: ShapeError, ConfigError, DTypeError.
Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options = {});

}  // namespace weft
