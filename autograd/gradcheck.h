// Gradients against central differences, in double.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace weft {

using GradFunction = std::function<Tensor(const std::vector<Tensor>& inputs)>;
/// Whether input `input`, element `element` (row-major), of value `value`, sits so close to a kink of the function that only one side may be used:
/// -1 the left, +1 the right, 0 smooth here, 2 not differentiable at all (skipped, and counted as such).
using KinkSide = std::function<int(int input, std::int64_t element, double value)>;

struct GradcheckOptions {
  double step = 1e-6;       ///< relative to max(1, |x|)
  double rtol = 1e-5;
  double atol = 1e-7;
  bool noncontiguous = true;       ///< check again with every input as a strided view
  bool second_order = false;       ///< check the gradient of the gradient too
  std::int64_t max_elements = 0;   ///< per input; 0: all. More are sampled evenly, for whole models
  KinkSide kinks;                  ///< default: smooth everywhere
};

struct GradcheckResult {
  bool passed = false;
  double worst_error = 0;   ///< |analytic - numeric| / max(1, |analytic|, |numeric|), the largest
  int input = -1;           ///< where that was
  Shape index;              ///< the element of that input
  double analytic = 0;
  double numeric = 0;
  std::int64_t checked = 0; ///< elements compared
  std::int64_t skipped = 0; ///< elements that the kinks excluded
  std::string message;      ///< one line; names the worst element with both values
};

/// Compares the gradient of sum(function(inputs) * r), r fixed and random, with central differences (one-sided at declared kinks), for every
/// input that requires a gradient. Inputs must be f64. Detects a function that gives different values for the same inputs.
/// Throws: DTypeError for inputs that are not f64, GraphError when none requires a gradient. A mismatch is a result, not an error.
GradcheckResult gradcheck(const GradFunction& function, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace weft
