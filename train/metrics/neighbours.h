// Nearest neighbours in an embedding.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace weft::explain {

struct Neighbour {
  std::int64_t id = 0;
  double cosine = 0;
};

/// The rows of an embedding, scaled to length 1, so that many questions are cheap.
class Neighbours {
 public:
  /// Shape: table (V, C), float. Throws ShapeError, DTypeError, NumericError for a row that is not
  /// finite.
  explicit Neighbours(const Tensor& table);
  /// The `count` rows whose cosine with row `id` is largest, itself left out; equal ones by id. A
  /// row of zeros has cosine 0 with all. Throws IndexError.
  std::vector<Neighbour> of(std::int64_t id, std::int64_t count) const;

 private:
  std::int64_t rows_, width_;
  std::vector<float> unit_;
};

}  // namespace weft::explain
