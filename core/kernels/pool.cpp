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
  parallel_for(planes, std::max<std::int64_t>(1, kGrainElements / cost), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t y = 0; y < w.out_h; ++y) {
        const std::int64_t y0 = y * w.stride_h - w.pad_h;
        const std::int64_t top = std::max<std::int64_t>(y0, 0), bottom = std::min(y0 + w.kernel_h, w.height);
        for (std::int64_t x = 0; x < w.out_w; ++x) {
          const std::int64_t x0 = x * w.stride_w - w.pad_w;
          f(plane, (plane * w.out_h + y) * w.out_w + x, Rect{top, bottom, std::max<std::int64_t>(x0, 0), std::min(x0 + w.kernel_w, w.width)});
        }
      }
  });
}

/// The usual pooling, 2x2 without padding, without loops in a window.
template <class T>
void max_pool_2x2(const Windows& w, std::int64_t planes, const T* x, T* out, std::int32_t* index) {
  parallel_for(planes, std::max<std::int64_t>(1, kGrainElements / (4 * w.out_pixels())), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t y = 0; y < w.out_h; ++y) {
        const std::int64_t first = y * w.stride_h * w.width, at = (plane * w.out_h + y) * w.out_w;
        const T* const upper = x + plane * w.pixels() + first;
        const T* const lower = upper + w.width;
        for (std::int64_t j = 0; j < w.out_w; ++j) {
          const std::int64_t left = j * w.stride_w;
          T best = upper[left];
          std::int64_t place = first + left;
          const auto challenge = [&](T value, std::int64_t where) {
            const bool wins = value > best || (value != value && best == best);
            best = wins ? value : best;
            place = wins ? where : place;
          };
          challenge(upper[left + 1], first + left + 1);
          challenge(lower[left], first + w.width + left);
          challenge(lower[left + 1], first + w.width + left + 1);
          out[at + j] = best;
          index[at + j] = static_cast<std::int32_t>(place);
        }
      }
  });
}

}  // namespace

template <class T>
void max_pool2d(const Windows& w, std::int64_t planes, const T* x, T* out, std::int32_t* index) {
  if (w.kernel_h == 2 && w.kernel_w == 2 && w.pad_h == 0 && w.pad_w == 0) return max_pool_2x2(w, planes, x, out, index);
  for_each_window(w, planes, [&](std::int64_t plane, std::int64_t at, const Rect& r) {
    const T* const image = x + plane * w.pixels();
    std::int64_t place = r.top * w.width + r.left;
    T best = image[place];
    for (std::int64_t i = r.top; i < r.bottom; ++i)
      for (std::int64_t j = r.left; j < r.right; ++j) {
        const T value = image[i * w.width + j];
        if (value > best || (value != value && best == best)) best = value, place = i * w.width + j;
      }
    out[at] = best;
    index[at] = static_cast<std::int32_t>(place);
  });
}

template <class T>
void max_pool2d_grad(const Windows& w, std::int64_t planes, const T* grad, const std::int32_t* index, T* grad_x) {
  const std::int64_t n = w.out_pixels();
  parallel_for(planes, std::max<std::int64_t>(1, kGrainElements / n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t i = plane * n; i < (plane + 1) * n; ++i) grad_x[plane * w.pixels() + index[i]] += grad[i];
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
template void max_pool2d_grad(const Windows&, std::int64_t, const float*, const std::int32_t*, float*);
template void max_pool2d_grad(const Windows&, std::int64_t, const double*, const std::int32_t*, double*);
template void avg_pool2d(const Windows&, std::int64_t, const float*, float*);
template void avg_pool2d(const Windows&, std::int64_t, const double*, double*);
template void avg_pool2d_grad(const Windows&, std::int64_t, const float*, float*);
template void avg_pool2d_grad(const Windows&, std::int64_t, const double*, double*);

}  // namespace weft::kernels
