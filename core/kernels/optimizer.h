// Updates of one parameter in one pass over its memory. All tensors contiguous, of one shape and
// float dtype.
#pragma once

#include "core/tensor.h"

namespace weft::kernels {

struct SgdStep {
  double lr, momentum, weight_decay;
  bool nesterov;
};
/// momentum may be undefined when step.momentum is 0.
void sgd(const Tensor& parameter, const Tensor& gradient, const Tensor& momentum,
         const SgdStep& step);

struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay, bias_correction1, bias_correction2;
  bool decoupled;
};
void adam(const Tensor& parameter, const Tensor& gradient, const Tensor& exp_avg,
          const Tensor& exp_avg_sq, const AdamStep& step);

struct LionStep {
  double lr, beta1, beta2, weight_decay;
};
void lion(const Tensor& parameter, const Tensor& gradient, const Tensor& exp_avg,
          const LionStep& step);

/// target = decay target + (1 - decay) source.
void lerp(const Tensor& target, const Tensor& source, double decay);
/// target *= factor.
void scale(const Tensor& target, double factor);
/// Sum of squares in double, in fixed blocks combined in index order.
double sum_of_squares(const Tensor& t);

}  // namespace weft::kernels
