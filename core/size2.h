// Size2: rows and columns of an option of images, such as a kernel, a stride or a padding.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace weft {

template <class T>
concept SizeNumber = std::integral<T> && !std::same_as<std::remove_cv_t<T>, bool>;

/// Two sizes, rows first: `{.padding = 1}` is 1 for both, `{.padding = {1, 2}}` 1 for rows and 2
/// for columns. Nothing else compiles: no number at all, three, or one that is no integer. (A
/// std::array would take `{.padding = 1}` for {1, 0}.)
class Size2 {
 public:
  template <SizeNumber N>
  constexpr Size2(N both)
      : rows_(static_cast<std::int64_t>(both)), columns_(static_cast<std::int64_t>(both)) {}
  template <SizeNumber R, SizeNumber C>
  constexpr Size2(R rows, C columns)
      : rows_(static_cast<std::int64_t>(rows)), columns_(static_cast<std::int64_t>(columns)) {}

  constexpr std::int64_t rows() const { return rows_; }        ///< the first
  constexpr std::int64_t columns() const { return columns_; }  ///< the second
  /// 0: rows, 1: columns.
  constexpr std::int64_t operator[](int i) const { return i == 0 ? rows_ : columns_; }
  friend constexpr bool operator==(const Size2&, const Size2&) = default;

 private:
  std::int64_t rows_, columns_;
};

}  // namespace weft
