#include <algorithm>
#include <cstdint>

#include "core/kernels/conv.h"
#include "core/parallel.h"

namespace weft::kernels {
namespace {

constexpr std::int64_t kGrainElements = 32768;

/// The part of a window that lies on the image: rows [top, bottom), columns [left, right).
struct Rect {
  std::int64_t top, bottom, left, right;
};

/// Calls f(plane, output element, rectangle) for every window, planes in parallel.
template <class F>
void for_each_window(const Windows& w, std::int64_t planes, const F& f) {
  const std::int64_t cost = std::max<std::int64_t>(1, w.out_pixels() * w.taps());
  parallel_for(planes, std::max<std::int64_t>(1, kGrainElements / cost),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t plane = begin; plane < end; ++plane)
                   for (std::int64_t y = 0; y < w.out_h; ++y) {
                     const std::int64_t y0 = y * w.stride_h - w.pad_h;
                     const std::int64_t top = std::max<std::int64_t>(y0, 0),
                                        bottom = std::min(y0 + w.kernel_h, w.height);
                     for (std::int64_t x = 0; x < w.out_w; ++x) {
                       const std::int64_t x0 = x * w.stride_w - w.pad_w;
                       f(plane, (plane * w.out_h + y) * w.out_w + x,
                         Rect{top, bottom, std::max<std::int64_t>(x0, 0),
                              std::min(x0 + w.kernel_w, w.width)});
                     }
                   }
               });
}

/// The pixel of the largest element of a window, the first of equals; the first NaN beats all.
template <class T>
std::int64_t largest_or_nan(const Windows& w, const T* image, const Rect& r) {
  std::int64_t place = r.top * w.width + r.left;
  for (std::int64_t i = r.top; i < r.bottom; ++i)
    for (std::int64_t j = r.left; j < r.right; ++j) {
      const T best = image[place], value = image[i * w.width + j];
      if (best == best && !(value <= best)) place = i * w.width + j;
    }
  return place;
}

// Which pixel wins is a matter of luck, which no processor predicts: so both loops below choose by
// arithmetic, not by branches. A sum that is NaN tells that the window may hold a NaN, which
// comparisons would pass over.

/// The usual pooling, 2x2 without padding.
template <class T>
void max_pool_2x2(const Windows& w, std::int64_t planes, const T* x, T* out, std::int32_t* index) {
  parallel_for(planes, std::max<std::int64_t>(1, kGrainElements / (4 * w.out_pixels())),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t plane = begin; plane < end; ++plane)
                   for (std::int64_t y = 0; y < w.out_h; ++y) {
                     const std::int64_t first = y * w.stride_h * w.width,
                                        at = (plane * w.out_h + y) * w.out_w;
                     const T* const image = x + plane * w.pixels();
                     for (std::int64_t j = 0; j < w.out_w; ++j) {
                       const std::int64_t corner = first + j * w.stride_w;
                       const T a = image[corner], b = image[corner + 1],
                               c = image[corner + w.width], d = image[corner + w.width + 1];
                       const T upper = a < b ? b : a, lower = c < d ? d : c,
                               best = upper < lower ? lower : upper;
                       const int not_a = a != best, not_b = not_a & (b != best),
                                 not_c = not_b & (c != best);
                       const int winner = not_a + not_b + not_c;
                       std::int64_t place = corner + (winner & 1) + (winner >> 1) * w.width;
                       const T total = a + b + c + d;
                       if (total != total)
                         place = largest_or_nan(w, image,
                                                {y * w.stride_h, y * w.stride_h + 2, j * w.stride_w,
                                                 j * w.stride_w + 2});
                       out[at + j] = image[place];
                       index[at + j] = static_cast<std::int32_t>(place);
                     }
                   }
               });
}

}  // namespace

template <class T>
void max_pool2d(const Windows& w, std::int64_t planes, const T* x, T* out, std::int32_t* index) {
  if (w.kernel_h == 2 && w.kernel_w == 2 && w.pad_h == 0 && w.pad_w == 0)
    return max_pool_2x2(w, planes, x, out, index);
  for_each_window(w, planes, [&](std::int64_t plane, std::int64_t at, const Rect& r) {
    const T* const image = x + plane * w.pixels();
    std::int64_t place = r.top * w.width + r.left;
    T best = image[place], total{0};
    for (std::int64_t i = r.top; i < r.bottom; ++i)
      for (std::int64_t p = i * w.width + r.left; p < i * w.width + r.right; ++p) {
        const T value = image[p];
        const std::int64_t wins = -static_cast<std::int64_t>(best < value);  // all bits or none
        place ^= (place ^ p) & wins;
        best = best < value ? value : best;
        total += value;
      }
    if (total != total) place = largest_or_nan(w, image, r);
    out[at] = image[place];
    index[at] = static_cast<std::int32_t>(place);
  });
}

template <class T>
void max_pool2d_grad(const Windows& w, std::int64_t planes, const T* grad,
                     const std::int32_t* index, T* grad_x) {
  const std::int64_t n = w.out_pixels();
  parallel_for(planes, std::max<std::int64_t>(1, kGrainElements / n),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t plane = begin; plane < end; ++plane)
                   for (std::int64_t i = plane * n; i < (plane + 1) * n; ++i)
                     grad_x[plane * w.pixels() + index[i]] += grad[i];
               });
}

template <class T>
void avg_pool2d(const Windows& w, std::int64_t planes, const T* x, T* out) {
  const T share = T{1} / static_cast<T>(w.taps());
  for_each_window(w, planes, [&](std::int64_t plane, std::int64_t at, const Rect& r) {
    const T* const image = x + plane * w.pixels();
    T total{0};
    for (std::int64_t i = r.top; i < r.bottom; ++i)
      for (std::int64_t j = r.left; j < r.right; ++j) total += image[i * w.width + j];
    out[at] = total * share;
  });
}

template <class T>
void avg_pool2d_grad(const Windows& w, std::int64_t planes, const T* grad, T* grad_x) {
  const T share = T{1} / static_cast<T>(w.taps());
  for_each_window(w, planes, [&](std::int64_t plane, std::int64_t at, const Rect& r) {
    T* const image = grad_x + plane * w.pixels();
    const T part = grad[at] * share;
    for (std::int64_t i = r.top; i < r.bottom; ++i)
      for (std::int64_t j = r.left; j < r.right; ++j) image[i * w.width + j] += part;
  });
}

template void max_pool2d(const Windows&, std::int64_t, const float*, float*, std::int32_t*);
template void max_pool2d(const Windows&, std::int64_t, const double*, double*, std::int32_t*);
template void max_pool2d_grad(const Windows&, std::int64_t, const float*, const std::int32_t*,
                              float*);
template void max_pool2d_grad(const Windows&, std::int64_t, const double*, const std::int32_t*,
                              double*);
template void avg_pool2d(const Windows&, std::int64_t, const float*, float*);
template void avg_pool2d(const Windows&, std::int64_t, const double*, double*);
template void avg_pool2d_grad(const Windows&, std::int64_t, const float*, float*);
template void avg_pool2d_grad(const Windows&, std::int64_t, const double*, double*);

}  // namespace weft::kernels
