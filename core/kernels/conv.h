// Convolution as matrix products over patches, and pooling. Everything is row-major: images (C, H,
// W), weights (O, C / groups, KH, KW).
#pragma once

#include <cstdint>

#include "core/kernels/windows.h"

namespace weft::kernels {

/// The patches of output rows [begin, end) as a matrix (C KH KW, (end - begin) W'); padding gives
/// zeros.
template <class T>
void im2col(const Windows& w, const T* image, std::int64_t begin, std::int64_t end, T* columns);
/// Its transpose: every element of the matrix is added to the pixel it came from.
template <class T>
void col2im(const Windows& w, const T* columns, std::int64_t begin, std::int64_t end, T* image);

/// out (B, O, H', W') = weight * x + bias; bias may be null. `w.channels` is C, all groups
/// together. T is float or double.
template <class T>
void conv2d(const Windows& w, std::int64_t batch, std::int64_t out_channels, std::int64_t groups,
            const T* x, const T* weight, const T* bias, T* out);
/// grad_x (B, C, H, W), overwritten.
template <class T>
void conv2d_grad_x(const Windows& w, std::int64_t batch, std::int64_t out_channels,
                   std::int64_t groups, const T* grad, const T* weight, T* grad_x);
/// grad_weight (O, C / groups, KH, KW), overwritten. Images are taken in blocks fixed by the shape,
/// whose sums are added in order.
template <class T>
void conv2d_grad_weight(const Windows& w, std::int64_t batch, std::int64_t out_channels,
                        std::int64_t groups, const T* grad, const T* x, T* grad_weight);
/// grad_bias (O) = the sum of grad (B, O, P) over images and pixels.
template <class T>
void channel_sums(const T* grad, std::int64_t batch, std::int64_t channels, std::int64_t pixels,
                  T* sums);
/// out (columns of a by columns of b) = a^T b for tall row-major a (rows, m), b (rows, n); rows are
/// taken in blocks fixed by the shape.
template <class T>
void tall_product(const T* a, const T* b, std::int64_t rows, std::int64_t m, std::int64_t n,
                  T* out);

/// Largest element of each window of `planes` images of one channel, and its pixel; the first of
/// equals, and a NaN beats all.
template <class T>
void max_pool2d(const Windows& w, std::int64_t planes, const T* x, T* out, std::int32_t* index);
/// grad_x += grad at index.
template <class T>
void max_pool2d_grad(const Windows& w, std::int64_t planes, const T* grad,
                     const std::int32_t* index, T* grad_x);
/// Mean of each window, padding counted as zeros.
template <class T>
void avg_pool2d(const Windows& w, std::int64_t planes, const T* x, T* out);
/// grad_x += grad / taps over each window.
template <class T>
void avg_pool2d_grad(const Windows& w, std::int64_t planes, const T* grad, T* grad_x);

}  // namespace weft::kernels
