// Loops over the indices of a shape: what naive references of ops that move elements are written
// with.
#pragma once

#include <cstdint>
#include <vector>

#include "core/shape.h"

namespace weft::samples {

/// f(index) for every index of `shape`, in row-major order.
template <class F>
std::vector<double> each_index(const Shape& shape, const F& f) {
  std::vector<double> out;
  const std::int64_t n = shape.numel();
  Shape index = Shape::filled(shape.rank(), 0);
  for (std::int64_t k = 0; k < n; ++k) {
    out.push_back(f(static_cast<const Shape&>(index)));
    for (int i = shape.rank() - 1; i >= 0; --i) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
  return out;
}

}  // namespace weft::samples
