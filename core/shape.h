// Shapes and strides: short lists of 64-bit sizes, held in place.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/error.h"

namespace weft {

/// Sizes (or strides, or a permutation) of at most kMaxRank dimensions, outermost first. `{}` is
/// the shape of a scalar.
class Shape {
 public:
  static constexpr int kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(sizes.begin(), sizes.end()) {}
  template <class Iterator>
  Shape(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(*first);
  }
  /// `rank` sizes of `value`.
  static Shape filled(int rank, std::int64_t value) {
    Shape shape;
    for (int i = 0; i < rank; ++i) shape.push_back(value);
    return shape;
  }

  int rank() const { return rank_; }         ///< number of dimensions
  bool empty() const { return rank_ == 0; }  ///< of a scalar
  std::int64_t operator[](int i) const { return sizes_[static_cast<std::size_t>(i)]; }
  std::int64_t& operator[](int i) { return sizes_[static_cast<std::size_t>(i)]; }
  /// The innermost size.
  std::int64_t back() const { return sizes_[static_cast<std::size_t>(rank_ - 1)]; }
  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }
  std::int64_t* begin() { return sizes_.data(); }
  std::int64_t* end() { return sizes_.data() + rank_; }

  /// Adds an innermost size. Throws ShapeError above kMaxRank.
  void push_back(std::int64_t size) {
    if (rank_ == kMaxRank) fail<ShapeError>("shape", "at most {} dimensions", kMaxRank);
    sizes_[static_cast<std::size_t>(rank_++)] = size;
  }
  void insert(int position, std::int64_t size);  ///< before `position`
  void erase(int position);                      ///< takes one out

  /// Product of the sizes; 1 for a scalar. Throws ShapeError for a negative size or a product above
  /// 2^62.
  std::int64_t numel() const;
  /// Row-major strides in elements.
  Shape row_major_strides() const;
  /// `(4, 8)`, `(5,)`, `()`.
  std::string str() const;

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

/// The shape both operands are stretched to, by NumPy's rules. Throws ShapeError naming `where` and
/// both shapes.
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view where);

/// Whether a tensor of shape `from` may be broadcast to `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

/// Turns a dimension counted from the end (-1 is the last) into one counted from the front.
/// Throws IndexError when `dim` is outside [-rank, rank).
int normalize_dim(std::int64_t dim, int rank, std::string_view where);

}  // namespace weft
