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
void batch_norm_statistics(const Planes& p, const float* x, float* mean, float* variance);
void batch_norm_statistics(const Planes& p, const double* x, double* mean, double* variance);

/// y = (x - mean) scale + shift, each (channels,). The difference comes first: x scale would round
/// away what is small beside the mean.
void batch_norm_apply(const Planes& p, const float* x, const float* mean, const float* scale,
                      const float* shift, float* y);
void batch_norm_apply(const Planes& p, const double* x, const double* mean, const double* scale,
                      const double* shift, double* y);

/// sum_g = sum of g, sum_gx = sum of g (x - mean), over each channel.
void batch_norm_sums(const Planes& p, const float* x, const float* g, const float* mean,
                     float* sum_g, float* sum_gx);
void batch_norm_sums(const Planes& p, const double* x, const double* g, const double* mean,
                     double* sum_g, double* sum_gx);

/// dx = g of_g + (x - mean) of_x + shift, each (channels,).
void batch_norm_gradient(const Planes& p, const float* x, const float* g, const float* mean,
                         const float* of_g, const float* of_x, const float* shift, float* dx);
void batch_norm_gradient(const Planes& p, const double* x, const double* g, const double* mean,
                         const double* of_g, const double* of_x, const double* shift, double* dx);

}  // namespace weft::kernels
