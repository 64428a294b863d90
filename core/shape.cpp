#include "core/shape.h"

#include <algorithm>

namespace weft {

void Shape::insert(int position, std::int64_t size) {
  push_back(size);
  std::rotate(begin() + position, end() - 1, end());
}

void Shape::erase(int position) {
  std::copy(begin() + position + 1, end(), begin() + position);
  --rank_;
}

std::int64_t Shape::numel() const {
  std::int64_t product = 1;
  bool zero = false;
  for (std::int64_t size : *this) {
    if (size < 0) fail<ShapeError>("shape", "a size may not be negative: {}", str());
    if (size == 0)
      zero = true;
    else if (product > (std::int64_t{1} << 62) / size)
      fail<ShapeError>("shape", "more than 2^62 elements: {}", str());
    else
      product *= size;
  }
  return zero ? 0 : product;
}

Shape Shape::row_major_strides() const {
  Shape strides = filled(rank_, 1);
  for (int i = rank_ - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * std::max<std::int64_t>((*this)[i + 1], 1);
  return strides;
}

std::string Shape::str() const {
  std::string text = "(";
  for (int i = 0; i < rank_; ++i) text += fmt::format("{}{}", i ? ", " : "", (*this)[i]);
  return text + (rank_ == 1 ? ",)" : ")");
}

bool operator==(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view where) {
  Shape out = Shape::filled(std::max(a.rank(), b.rank()), 1);
  for (int i = 1; i <= out.rank(); ++i) {
    const std::int64_t x = i <= a.rank() ? a[a.rank() - i] : 1;
    const std::int64_t y = i <= b.rank() ? b[b.rank() - i] : 1;
    if (x != y && x != 1 && y != 1)
      fail<ShapeError>(where,
                       "shapes do not broadcast: a {}, b {}; each pair of sizes, from the last, "
                       "must be equal or hold a 1",
                       a.str(), b.str());
    out[out.rank() - i] = x == 1 ? y : x;
  }
  return out;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (int i = 1; i <= from.rank(); ++i) {
    const std::int64_t size = from[from.rank() - i];
    if (size != 1 && size != to[to.rank() - i]) return false;
  }
  return true;
}

int normalize_dim(std::int64_t dim, int rank, std::string_view where) {
  if (dim < -rank || dim >= rank)
    fail<IndexError>(where, "dimension {} is out of range for {} dimension{}", dim, rank,
                     rank == 1 ? "" : "s");
  return static_cast<int>(dim < 0 ? dim + rank : dim);
}

}  // namespace weft
