// How the windows of a convolution or a pooling lie on an image.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// The padded image holds at least one window.
struct Windows {
  std::int64_t channels = 0, height = 0, width = 0;  ///< C, H, W
  std::int64_t kernel_h = 1, kernel_w = 1;           ///< KH, KW
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_h = 0, pad_w = 0;
  std::int64_t out_h = 0, out_w = 0;  ///< H', W'

  std::int64_t pixels() const { return height * width; }
  std::int64_t out_pixels() const { return out_h * out_w; }
  std::int64_t taps() const { return kernel_h * kernel_w; }
  /// A window is one pixel, and every pixel has one: the image is its own matrix of patches.
  bool pointwise() const {
    return taps() == 1 && stride_h == 1 && stride_w == 1 && pad_h == 0 && pad_w == 0;
  }
};

}  // namespace weft::kernels
