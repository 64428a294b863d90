// The activation of click models that moves with the data.
#pragma once

#include "core/tensor.h"

namespace weft {

struct DiceOptions {
  bool training =
      true;  ///< by the batch's own statistics; else by the running ones, which are constants then
  Tensor running_mean{};  ///< (C,) of x's dtype; while training moved towards the batch's in place,
                          ///< if defined
  Tensor running_var{};   ///< likewise, towards the biased variance
  double momentum = 0.1;  ///< running = (1 - momentum) running + momentum batch
  double eps = 1e-8;
};

/// p x + (1 - p) alpha x with p = sigmoid((x - mean) / sqrt(var + eps)), mean and variance (divisor
/// N) of each channel over the batch. Shape: x (N, C), alpha (C,) -> (N, C). Gradient: through the
/// batch's statistics while training. Throws: ShapeError, also for a training batch without rows;
/// ConfigError for eps <= 0 or a momentum outside [0, 1], and where the running statistics are
/// needed and absent; DTypeError; NumericError for running statistics that the dtype does not hold.
/// An f32 batch whose squares or means f32 does not hold is gated in f64. Source: Zhou et al. 2018
/// (arXiv 1706.06978), eq. 3.
Tensor dice(const Tensor& x, const Tensor& alpha, const DiceOptions& options = {});

}  // namespace weft
