// Normalization over the last dimension. Right for every finite row, also for one whose squares or
// whose mean the dtype cannot hold.
#pragma once

#include "core/tensor.h"

namespace weft {

/// (x - mean) / sqrt(var + eps) * weight + bias over the last dimension (var with divisor C).
/// Shape: x (..., C), weight and bias (C,) or undefined. Gradient: eq. of the paper's appendix, in
/// one pass. Throws: ShapeError, ConfigError for eps < 0. Source: Ba, Kiros, Hinton 2016 (arXiv
/// 1607.06450), eq. 4.
Tensor layer_norm(const Tensor& x, const Tensor& weight = Tensor(), const Tensor& bias = Tensor(),
                  double eps = 1e-5);
/// x / sqrt(mean(x^2) + eps) * weight over the last dimension. Shape: x (..., C), weight (C,) or
/// undefined. Gradient: g w / r - x sum(g w x) / (C r^3), r the root; x / r summed to weight.
/// Throws: as layer_norm. Source: Zhang and Sennrich 2019 (arXiv 1910.07467), eq. 4.
Tensor rms_norm(const Tensor& x, const Tensor& weight = Tensor(), double eps = 1e-6);

namespace definition {
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);
}  // namespace definition
}  // namespace weft
