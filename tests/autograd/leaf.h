// What the engine's tests begin with.
#pragma once

#include <vector>

#include "autograd/autograd.h"

namespace weft::test {

/// A tensor of doubles that wants a gradient.
inline Tensor leaf(std::vector<double> values, Shape shape) {
  const Tensor t = Tensor::from(values, shape);
  t.set_requires_grad();
  return t;
}
inline Tensor leaf(double value) { return leaf(std::vector<double>{value}, Shape{}); }

}  // namespace weft::test
