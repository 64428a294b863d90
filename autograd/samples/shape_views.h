// What the samples of shape ops share.
#pragma once

#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"
#include "autograd/samples/each_index.h"

namespace weft::samples::shape_ops_samples {

using Inputs = std::vector<Tensor>;

/// The reference of an op that moves elements of one input: output element i is x at source(i).
template <class F>
Reference moved(const Shape& shape, const F& source) {
  return [=](const Inputs& in) {
    return each_index(shape, [&](const Shape& i) { return in[0].at(source(i)); });
  };
}

/// Every element of x in its own order.
inline std::vector<double> same_order(const Inputs& in) { return flat(in[0]); }

inline Case one(const char* label, const Tensor& x, const GradFunction& call,
                const Reference& reference) {
  Case c;
  c.label = label;
  c.inputs = {x};
  c.call = call;
  c.reference = reference;
  return c;
}

inline Case many(const char* label, const Inputs& inputs, const GradFunction& call,
                 const Reference& reference) {
  Case c = one(label, inputs[0], call, reference);
  c.inputs = inputs;
  return c;
}

inline std::function<Inputs()> f32_inputs(std::vector<Shape> shapes) {
  return [=] {
    Inputs inputs;
    for (std::size_t i = 0; i < shapes.size(); ++i)
      inputs.push_back(raw::cast(values(shapes[i], i), DType::f32));
    return inputs;
  };
}

/// A benchmark on (512, 64, 64): each element read and written once, or none of them for a view.
inline Benchmark bench(const char* label, const GradFunction& call,
                       double bytes = 2 * 4 * 512 * 64 * 64) {
  return {label, f32_inputs({{512, 64, 64}}), call, 0, bytes};
}

}  // namespace weft::samples::shape_ops_samples
