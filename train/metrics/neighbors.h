// Nearest neighbors in an embedding.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace weft::explain {

struct Neighbor {
  std::int64_t id = 0;
  double cosine = 0;
};

/// The rows of an embedding, scaled to length 1, so that many questions are cheap.
class Neighbors {
 public:
  /// Shape: table (V, C), float. Throws ShapeError, DTypeError, NumericError for a row that is not
  /// finite.
  explicit Neighbors(const Tensor& table);
  /// The `count` rows whose cosine with row `id` is largest, itself left out; equal ones by id. A
  /// row of zeros has cosine 0 with all. Throws IndexError.
  std::vector<Neighbor> of(std::int64_t id, std::int64_t count) const;

 private:
  std::int64_t rows_, width_;
  std::vector<float> unit_;
};

}  // namespace weft::explain
