// RoIAlign: regions of any size read from a feature map as grids of one size.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// A map (batch, channels, height, width) and regions (count, 5): image, x0, y0, x1, y1 in the
/// image's pixels, which `scale` turns into the map's.
struct RoiGrid {
  std::int64_t batch = 0, channels = 0, height = 0, width = 0;
  std::int64_t count = 0;
  std::int64_t out_h = 0, out_w = 0;
  std::int64_t samples = 2;  ///< each way in a cell of the grid
  double scale = 1;
};

/// One of the four pixels that a sampling point lies between: its place in a plane, and its weight.
/// Points further than a pixel outside have weight 0.
template <class T>
struct RoiTap {
  std::int64_t place;
  T weight;
};
/// The 4 * samples^2 taps of each cell, divided by samples^2: taps[((region, cell), tap)].
template <class T>
void roi_taps(const RoiGrid& grid, const T* regions, RoiTap<T>* taps);
inline std::int64_t taps_per_cell(const RoiGrid& g) { return 4 * g.samples * g.samples; }

/// out (count, channels, out_h, out_w). T is float or double.
template <class T>
void roi_align(const RoiGrid& grid, const T* x, const T* regions, const RoiTap<T>* taps, T* out);
/// dx (batch, channels, height, width), overwritten; regions are added in order.
template <class T>
void roi_align_grad(const RoiGrid& grid, const T* g, const T* regions, const RoiTap<T>* taps,
                    T* dx);

}  // namespace weft::kernels
