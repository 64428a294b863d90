#include <algorithm>

#include "core/kernels/conv.h"

namespace weft::kernels {
namespace {

/// Output columns [first, last) whose input column x * stride - pad + tap lies inside the image.
struct Inside {
  std::int64_t first, last;
};

Inside inside(std::int64_t out, std::int64_t size, std::int64_t stride, std::int64_t pad,
              std::int64_t tap) {
  const std::int64_t shift = tap - pad;  // x * stride + shift in [0, size)
  const std::int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const std::int64_t last = size > shift ? (size - shift + stride - 1) / stride : 0;
  return {std::min(first, out), std::clamp(last, std::min(first, out), out)};
}

/// Calls f(matrix row, tap row, tap column, channel) for each row of the matrix of patches.
template <class F>
void for_each_tap(const Windows& w, const F& f) {
  std::int64_t row = 0;
  for (std::int64_t c = 0; c < w.channels; ++c)
    for (std::int64_t ky = 0; ky < w.kernel_h; ++ky)
      for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) f(row++, c, ky, kx);
}

}  // namespace

template <class T>
void im2col(const Windows& w, const T* image, std::int64_t begin, std::int64_t end, T* columns) {
  const std::int64_t row_length = (end - begin) * w.out_w;
  for_each_tap(w, [&](std::int64_t row, std::int64_t c, std::int64_t ky, std::int64_t kx) {
    const Inside x = inside(w.out_w, w.width, w.stride_w, w.pad_w, kx);
    T* to = columns + row * row_length;
    for (std::int64_t y = begin; y < end; ++y, to += w.out_w) {
      const std::int64_t iy = y * w.stride_h - w.pad_h + ky;
      if (iy < 0 || iy >= w.height) {
        std::fill_n(to, w.out_w, T{0});
        continue;
      }
      const T* const from =
          image + (c * w.height + iy) * w.width + x.first * w.stride_w + kx - w.pad_w;
      std::fill_n(to, x.first, T{0});
      if (w.stride_w == 1)
        std::copy_n(from, x.last - x.first, to + x.first);
      else
        for (std::int64_t j = x.first; j < x.last; ++j) to[j] = from[(j - x.first) * w.stride_w];
      std::fill_n(to + x.last, w.out_w - x.last, T{0});
    }
  });
}

template <class T>
void col2im(const Windows& w, const T* columns, std::int64_t begin, std::int64_t end, T* image) {
  const std::int64_t row_length = (end - begin) * w.out_w;
  for_each_tap(w, [&](std::int64_t row, std::int64_t c, std::int64_t ky, std::int64_t kx) {
    const Inside x = inside(w.out_w, w.width, w.stride_w, w.pad_w, kx);
    const T* from = columns + row * row_length;
    for (std::int64_t y = begin; y < end; ++y, from += w.out_w) {
      const std::int64_t iy = y * w.stride_h - w.pad_h + ky;
      if (iy < 0 || iy >= w.height) continue;
      T* const to = image + (c * w.height + iy) * w.width + x.first * w.stride_w + kx - w.pad_w;
      for (std::int64_t j = x.first; j < x.last; ++j) to[(j - x.first) * w.stride_w] += from[j];
    }
  });
}

template void im2col(const Windows&, const float*, std::int64_t, std::int64_t, float*);
template void im2col(const Windows&, const double*, std::int64_t, std::int64_t, double*);
template void col2im(const Windows&, const float*, std::int64_t, std::int64_t, float*);
template void col2im(const Windows&, const double*, std::int64_t, std::int64_t, double*);

}  // namespace weft::kernels
