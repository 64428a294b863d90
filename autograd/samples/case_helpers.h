// Short ways to write cases and benchmarks of ops.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/sample.h"

namespace weft::samples {

using Inputs = std::vector<Tensor>;

inline Case make_case(std::string label, Inputs inputs, GradFunction call, Reference reference) {
  Case c;
  c.label = std::move(label);
  c.inputs = std::move(inputs);
  c.call = std::move(call);
  c.reference = std::move(reference);
  return c;
}

/// The same for an op without gradient.
inline Case make_constant_case(std::string label, Inputs inputs, GradFunction call,
                               Reference reference) {
  Case c = make_case(std::move(label), std::move(inputs), std::move(call), std::move(reference));
  c.gradients = false;
  return c;
}

/// f32 inputs of the given shapes with values in [low, high).
inline std::function<Inputs()> f32_inputs(std::vector<Shape> shapes, double low = -1,
                                          double high = 1) {
  return [=] {
    Inputs inputs;
    for (std::size_t i = 0; i < shapes.size(); ++i)
      inputs.push_back(raw::cast(values(shapes[i], i + 1, low, high), DType::f32));
    return inputs;
  };
}

}  // namespace weft::samples
