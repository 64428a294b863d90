// Values against the naive references: f64, f32, contiguous, strided, recorded or not.
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

std::vector<std::vector<double>> flat_all(const std::vector<Tensor>& inputs) {
  std::vector<std::vector<double>> result;
  for (const Tensor& input : inputs) result.push_back(flat(input));
  return result;
}

void check_values(const Sample& sample, const Case& one, DType dtype) {
  const std::vector<Tensor> inputs = cast_inputs(one.inputs, dtype);
  const std::string what = title(sample, one.label) + " in " + std::string(name(dtype));
  const auto before = flat_all(inputs);
  const Tensor output = one.call(inputs);
  const auto after = flat_all(inputs);
  for (std::size_t i = 0; i < after.size(); ++i)
    CHECK_MESSAGE(distance(after[i], before[i]) == 0, what, " changed input ", i);
  if (is_float(output.dtype()))
    CHECK_MESSAGE(output.dtype() == dtype, what, " returns ", name(output.dtype()));
  if (one.shape)
    CHECK_MESSAGE(output.shape() == *one.shape, what, " has the shape ", output.shape().str(),
                  " instead of ", one.shape->str());
  const double tolerance = dtype == DType::f64 ? 1e-12 : one.f32_tolerance;
  const std::vector<double> expected = one.reference ? one.reference(inputs) : flat(output);
  check_close(flat(output), expected, tolerance, what);
  check_close(flat(one.call(strided_inputs(inputs, 0))), expected, tolerance,
              what + ", column-major");
  check_close(flat(one.call(strided_inputs(inputs, 1))), expected, tolerance,
              what + ", every second element");
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (is_float(dtype) && is_float(inputs[i].dtype())) inputs[i].set_requires_grad(one.gradients);
  check_close(flat(one.call(inputs)), expected, tolerance, what + ", recorded");
}

}  // namespace

TEST_CASE("values in f64") {
  for_each_case(
      [](const Sample& sample, const Case& one) { check_values(sample, one, DType::f64); });
}

TEST_CASE("values in f32") {
  for_each_case(
      [](const Sample& sample, const Case& one) { check_values(sample, one, DType::f32); });
}
