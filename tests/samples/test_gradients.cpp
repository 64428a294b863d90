// Gradients of f32 kernels against those of f64, which the gradient check holds against
// differences; and of strided inputs and strided incoming gradients against contiguous ones.
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

TEST_CASE("gradients in f32 and with strides") {
  for_each_case([](const Sample& sample, const Case& one) {
    if (!one.gradients) return;
    const std::string what = title(sample, one.label);
    const std::vector<Tensor> rounded = cast_inputs(one.inputs, DType::f32);
    const Outcome exact = run(one.call, cast_inputs(rounded, DType::f64), one.without_grad);
    const double tolerance = 10 * one.f32_tolerance;
    check_close(run(one.call, rounded, one.without_grad), exact, one.f32_tolerance, tolerance,
                what + " f32");
    for (const int variant : {0, 1}) {
      const std::string how = what + (variant == 0 ? " column-major" : " every second element");
      check_close(run(one.call, strided_inputs(rounded, variant), one.without_grad, variant), exact,
                  one.f32_tolerance, tolerance, how + " f32");
      check_close(run(one.call, strided_inputs(cast_inputs(rounded, DType::f64), variant),
                      one.without_grad, variant),
                  exact, 1e-12, 1e-10, how + " f64");
    }
  });
}
