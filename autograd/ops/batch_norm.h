// Normalization of each channel over a batch.
#pragma once

#include "core/tensor.h"

namespace weft {

struct BatchNormOptions {
  bool training =
      true;  ///< by the batch's own statistics; else by the running ones, which are constants then
  Tensor running_mean{};  ///< (C,) of x's dtype; while training moved towards the batch's in place,
                          ///< if defined
  Tensor running_var{};   ///< likewise, towards the unbiased variance
  double momentum = 0.1;  ///< running = (1 - momentum) running + momentum batch
  double eps = 1e-5;
};

/// (x - mean) / sqrt(var + eps) * weight + bias, with mean and variance (divisor: the number of
/// values) of each channel over all other dimensions. Shape: x (B, C, ...), weight and bias (C,) or
/// undefined -> x's. Gradient: through the batch's statistics while training, g weight / sqrt(var +
/// eps) otherwise. Throws: ShapeError, also for fewer than two values a channel while training;
/// ConfigError for eps <= 0 or a momentum outside [0, 1], and where the running statistics are
/// needed and absent; DTypeError; NumericError for running statistics that the dtype does not hold.
/// An f32 batch whose squares or means f32 does not hold is normalized in f64. Source: Ioffe and
/// Szegedy 2015 (arXiv 1502.03167), algorithms 1 and 2.
Tensor batch_norm(const Tensor& x, const Tensor& weight = Tensor(), const Tensor& bias = Tensor(),
                  const BatchNormOptions& options = {});

}  // namespace weft
