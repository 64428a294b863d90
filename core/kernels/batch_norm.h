// Batch normalization of images that lie in planes: x (batch, channels, pixels), row-major. T is
// float or double.
#pragma once

#include <cstdint>

namespace weft::kernels {

struct Planes {
  std::int64_t batch = 0, channels = 0, pixels = 0;
};

/// Mean and variance (divisor batch * pixels) of each channel. Planes are taken one by one in
/// order, each by its own mean, and joined by the formula of Chan, Golub and LeVeque 1979, so that
/// a small variance around a large mean is kept.
template <class T>
void batch_norm_statistics(const Planes& p, const T* x, T* mean, T* variance);

/// y = (x - mean) scale + shift, each (channels,). The difference comes first: x scale would round
/// away what is small beside the mean.
template <class T>
void batch_norm_apply(const Planes& p, const T* x, const T* mean, const T* scale, const T* shift,
                      T* y);

/// sum_g = sum of g, sum_gx = sum of g (x - mean), over each channel.
template <class T>
void batch_norm_sums(const Planes& p, const T* x, const T* g, const T* mean, T* sum_g, T* sum_gx);

/// dx = g of_g + (x - mean) of_x + shift, each (channels,).
template <class T>
void batch_norm_gradient(const Planes& p, const T* x, const T* g, const T* mean, const T* of_g,
                         const T* of_x, const T* shift, T* dx);

}  // namespace weft::kernels
