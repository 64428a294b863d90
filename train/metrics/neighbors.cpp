#include "train/metrics/neighbors.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace weft::explain {

Neighbors::Neighbors(const Tensor& table) {
  if (table.rank() != 2)
    fail<ShapeError>("neighbors", "expects a table (V, C), got {}", table.shape().str());
  if (table.dtype() != DType::f32 && table.dtype() != DType::f64)
    fail<DTypeError>("neighbors", "expects f32 or f64, got {}", name(table.dtype()));
  rows_ = table.size(0);
  width_ = table.size(1);
  unit_ = table.to_vector<float>();
  for (std::int64_t r = 0; r < rows_; ++r) {
    float* const row = unit_.data() + r * width_;
    double squares = 0;
    for (std::int64_t c = 0; c < width_; ++c) squares += static_cast<double>(row[c]) * row[c];
    if (!std::isfinite(squares))
      fail<NumericError>("neighbors", "row {} of the table holds a NaN or an infinity", r);
    const auto scale = static_cast<float>(squares > 0 ? 1 / std::sqrt(squares) : 0);
    for (std::int64_t c = 0; c < width_; ++c) row[c] *= scale;
  }
}

std::vector<Neighbor> Neighbors::of(std::int64_t id, std::int64_t count) const {
  if (id < 0 || id >= rows_)
    fail<IndexError>("neighbors", "row {} does not exist: there are {}", id, rows_);
  std::vector<Neighbor> found;
  found.reserve(static_cast<std::size_t>(rows_));
  const float* const own = unit_.data() + id * width_;
  for (std::int64_t r = 0; r < rows_; ++r) {
    if (r == id) continue;
    const float* const row = unit_.data() + r * width_;
    double cosine = 0;
    for (std::int64_t c = 0; c < width_; ++c) cosine += static_cast<double>(own[c]) * row[c];
    found.push_back({r, cosine});
  }
  const auto kept =
      found.begin() + std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(found.size()));
  std::partial_sort(found.begin(), kept, found.end(), [](const Neighbor& a, const Neighbor& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.id < b.id;
  });
  found.erase(kept, found.end());
  return found;
}

}  // namespace weft::explain
