// Shape-only tensors: every op, module and model does with them what it does with elements, but the
// arithmetic.
#include "core/shape_only.h"

#include "core/storage.h"
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

struct Shapes {
  Shape value;
  DType dtype = DType::f32;
  std::vector<Shape> gradients;  ///< of rank 0 and no element for inputs without one
};

std::string words(const Shapes& s) {
  std::string text = s.value.str() + " " + std::string(name(s.dtype));
  for (const Shape& one : s.gradients) text += " " + one.str();
  return text;
}

Shapes shapes_of(const Case& one, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> wanted;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool skip = std::find(one.without_grad.begin(), one.without_grad.end(),
                                static_cast<int>(i)) != one.without_grad.end();
    if (!is_float(inputs[i].dtype()) || skip) continue;
    inputs[i].set_requires_grad();
    wanted.push_back(inputs[i]);
  }
  const Tensor output = one.call(inputs);
  Shapes result{output.shape(), output.dtype(), {}};
  if (!output.requires_grad()) return result;
  for (const Tensor& gradient :
       grad({output}, wanted, {Tensor::ones(output.shape(), output.dtype())},
            {.allow_unused = true}))
    result.gradients.push_back(gradient.defined() ? gradient.shape() : Shape{0});
  return result;
}

std::vector<Tensor> without_elements(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) result.push_back(Tensor::empty(input.shape(), input.dtype()));
  return result;
}

}  // namespace

TEST_CASE("every sample makes the shapes without elements that it makes with them") {
  int compared = 0;
  for_each_case([&](const Sample& sample, const Case& one) {
    const std::string what = title(sample, one.label);
    CAPTURE(what);
    if (sample.name == "all_equal") return;  // whose shape its elements decide
    const Shapes real = shapes_of(one, cast_inputs(one.inputs, DType::f32));
    const MemoryStats before = memory_stats();
    reset_peak_memory();
    const double held = ShapeOnly::held();
    {
      const ShapeOnly guard;
      CHECK_MESSAGE(words(shapes_of(one, without_elements(cast_inputs(one.inputs, DType::f32)))) ==
                        words(real),
                    what);
      CHECK_MESSAGE((ShapeOnly::peak() > held || one.inputs.empty() || real.value.numel() == 0),
                    what);
    }
    CHECK_MESSAGE(memory_stats().peak == before.current, what, ": took memory");
    ++compared;
  });
  CHECK(compared > 400);
}
