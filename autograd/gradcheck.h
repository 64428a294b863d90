// Gradients against differences of function values, in double.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace weft {

using GradFunction = std::function<Tensor(const std::vector<Tensor>& inputs)>;
/// Whether element `element` (row-major) of input `input`, whose value is `value`, sits so close to
/// a kink of the function that only one side may be used: -1 the left, +1 the right, 0 smooth here,
/// 2 no derivative at all (skipped, and counted).
using KinkSide = std::function<int(int input, std::int64_t element, double value)>;

struct GradcheckOptions {
  double step = 1e-6;  ///< relative to max(1, |x|)
  double rtol = 1e-5;  ///< an element passes when |analytic - numeric| <= atol + rtol *
                       ///< max(|analytic|, |numeric|)
  double atol = 1e-7;
  bool noncontiguous = true;      ///< check again with every input as a strided view
  bool second_order = false;      ///< check the gradient of the gradient too, and that a fused op's
                                  ///< rule agrees with its definition
  std::int64_t max_elements = 0;  ///< per input; 0: all. More are sampled evenly, for whole models
  KinkSide kinks{};               ///< default: smooth everywhere
  std::uint64_t seed = 0;         ///< of the r that outputs are weighed with
};

struct GradcheckResult {
  bool passed = false;
  double worst_error = 0;  ///< |analytic - numeric| / max(1, |analytic|, |numeric|), the largest
  int input = -1;          ///< where that was; -1 when nothing was compared; one past the last: the
                           ///< incoming gradient (second order)
  Shape index;             ///< the element of that input
  double analytic = 0;
  double numeric = 0;
  std::int64_t checked = 0;  ///< elements compared, all passes together
  std::int64_t skipped = 0;  ///< elements that the kinks excluded
  std::string message;       ///< one line; names the worst element with both values
};

/// Compares the gradient of <function(inputs), r>, r fixed and random, with central differences
/// (three-point one-sided at declared kinks), for every input that requires a gradient. Inputs are
/// changed in place and restored, so that `function` may also reach them by capture (a module's
/// parameters). Detects a function or a gradient that differs between two calls with the same
/// inputs. Throws: DTypeError for float inputs or outputs that are not f64, GraphError when no
/// input requires a gradient. A mismatch is a result, not an error.
GradcheckResult gradcheck(const GradFunction& function, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

/// The same elements with other strides, not recorded, the gaps filled with NaN (or -1): variant 0
/// is column-major, variant 1 takes every second element of a larger block, counted from its
/// second.
Tensor strided_copy(const Tensor& t, int variant);

}  // namespace weft
