// Convolution without a matrix of patches, f32: images are laid out so that a tap of the kernel is
// the same row of pixels, read from a little further on.
#pragma once

#include <cstdint>

#include "core/kernels/windows.h"

namespace weft::kernels {

/// Whether this way is open (one group, a window of more than one pixel or with a stride, padding
/// smaller than the kernel, an image that is not huge).
bool direct_conv_pays(const Windows& w, std::int64_t out_channels, std::int64_t groups);

/// As conv2d, conv2d_grad_x and conv2d_grad_weight (core/kernels/conv.h), of one group.
void direct_conv2d(const Windows& w, std::int64_t batch, std::int64_t out_channels, const float* x,
                   const float* weight, const float* bias, float* out);
void direct_conv2d_grad_x(const Windows& w, std::int64_t batch, std::int64_t out_channels,
                          const float* grad, const float* weight, float* grad_x);
void direct_conv2d_grad_weight(const Windows& w, std::int64_t batch, std::int64_t out_channels,
                               const float* grad, const float* x, float* grad_weight);

}  // namespace weft::kernels
