#include "core/kernels/roi_align.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace weft::kernels {
namespace {

constexpr std::int64_t kRoiGrain = 32768;  // multiply-adds worth a task

/// The two pixels that a coordinate lies between, and how near it is to the second.
struct Between {
  std::int64_t low, high;
  double share;
  bool outside;
};

Between between(double at, std::int64_t size) {
  if (!(at >= -1 && at <= static_cast<double>(size))) return {0, 0, 0, true};
  const double inside = std::max(at, 0.0);
  const auto low = static_cast<std::int64_t>(inside);
  if (low >= size - 1) return {size - 1, size - 1, 0, false};
  return {low, low + 1, inside - static_cast<double>(low), false};
}

}  // namespace

template <class T>
void roi_taps(const RoiGrid& g, const T* regions, RoiTap<T>* taps) {
  const std::int64_t per_region = g.out_h * g.out_w * taps_per_cell(g);
  parallel_for(
      g.count, std::max<std::int64_t>(1, kRoiGrain / std::max<std::int64_t>(1, 8 * per_region)),
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r) {
          const T* const region = regions + 5 * r;
          // Pixel centers are at halves: a region's edge x stands at x scale - 1/2 of the map's
          // samples.
          const double x0 = static_cast<double>(region[1]) * g.scale - 0.5,
                       y0 = static_cast<double>(region[2]) * g.scale - 0.5;
          const double cell_w =
              static_cast<double>(region[3] - region[1]) * g.scale / static_cast<double>(g.out_w);
          const double cell_h =
              static_cast<double>(region[4] - region[2]) * g.scale / static_cast<double>(g.out_h);
          const double n = static_cast<double>(g.samples);
          RoiTap<T>* to = taps + r * per_region;
          for (std::int64_t i = 0; i < g.out_h; ++i)
            for (std::int64_t j = 0; j < g.out_w; ++j)
              for (std::int64_t a = 0; a < g.samples; ++a)
                for (std::int64_t b = 0; b < g.samples; ++b, to += 4) {
                  const Between y = between(
                      y0 + cell_h * (static_cast<double>(i) + (static_cast<double>(a) + 0.5) / n),
                      g.height);
                  const Between x = between(
                      x0 + cell_w * (static_cast<double>(j) + (static_cast<double>(b) + 0.5) / n),
                      g.width);
                  const double all = y.outside || x.outside ? 0.0 : 1.0 / (n * n);
                  to[0] = {y.low * g.width + x.low,
                           static_cast<T>(all * (1 - y.share) * (1 - x.share))};
                  to[1] = {y.low * g.width + x.high, static_cast<T>(all * (1 - y.share) * x.share)};
                  to[2] = {y.high * g.width + x.low, static_cast<T>(all * y.share * (1 - x.share))};
                  to[3] = {y.high * g.width + x.high, static_cast<T>(all * y.share * x.share)};
                }
        }
      });
}

template <class T>
void roi_align(const RoiGrid& g, const T* x, const T* regions, const RoiTap<T>* taps, T* out) {
  const std::int64_t cells = g.out_h * g.out_w, per_cell = taps_per_cell(g),
                     plane = g.height * g.width;
  parallel_for(g.count * g.channels,
               std::max<std::int64_t>(1, kRoiGrain / std::max<std::int64_t>(1, cells * per_cell)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t r = i / g.channels, c = i % g.channels,
                                      image = static_cast<std::int64_t>(regions[5 * r]);
                   const T* const from = x + (image * g.channels + c) * plane;
                   const RoiTap<T>* tap = taps + r * cells * per_cell;
                   for (std::int64_t cell = 0; cell < cells; ++cell) {
                     T sum{0};
                     for (std::int64_t k = 0; k < per_cell; ++k, ++tap)
                       sum += tap->weight * from[tap->place];
                     out[i * cells + cell] = sum;
                   }
                 }
               });
}

template <class T>
void roi_align_grad(const RoiGrid& g, const T* grad, const T* regions, const RoiTap<T>* taps,
                    T* dx) {
  const std::int64_t cells = g.out_h * g.out_w, per_cell = taps_per_cell(g),
                     plane = g.height * g.width;
  // A task has a channel of all images to itself, so that no two write to one place.
  parallel_for(
      g.channels,
      std::max<std::int64_t>(1, kRoiGrain / std::max<std::int64_t>(1, g.count * cells * per_cell)),
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c) {
          for (std::int64_t b = 0; b < g.batch; ++b)
            std::fill_n(dx + (b * g.channels + c) * plane, plane, T{0});
          for (std::int64_t r = 0; r < g.count; ++r) {
            T* const to = dx + (static_cast<std::int64_t>(regions[5 * r]) * g.channels + c) * plane;
            const T* const from = grad + (r * g.channels + c) * cells;
            const RoiTap<T>* tap = taps + r * cells * per_cell;
            for (std::int64_t cell = 0; cell < cells; ++cell)
              for (std::int64_t k = 0; k < per_cell; ++k, ++tap)
                to[tap->place] += tap->weight * from[cell];
          }
        }
      });
}

template void roi_taps(const RoiGrid&, const float*, RoiTap<float>*);
template void roi_taps(const RoiGrid&, const double*, RoiTap<double>*);
template void roi_align(const RoiGrid&, const float*, const float*, const RoiTap<float>*, float*);
template void roi_align(const RoiGrid&, const double*, const double*, const RoiTap<double>*,
                        double*);
template void roi_align_grad(const RoiGrid&, const float*, const float*, const RoiTap<float>*,
                             float*);
template void roi_align_grad(const RoiGrid&, const double*, const double*, const RoiTap<double>*,
                             double*);

}  // namespace weft::kernels
