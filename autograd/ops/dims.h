// Dimensions by number.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace weft {

/// Dimensions to work on: one number is that dimension, a list those in it; empty means all, where
/// an op does not say otherwise. They may count from the end.
class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<std::int64_t> dims) : dims_(dims) {}
  Dims(std::vector<std::int64_t> dims) : dims_(std::move(dims)) {}
  template <std::integral Number>
  requires(!std::same_as<Number, bool>)  // sum(x, true) was meant to say something else
      Dims(Number dim)
      : dims_{static_cast<std::int64_t>(dim)} {}

  bool empty() const { return dims_.empty(); }  ///< no dimension
  auto begin() const { return dims_.begin(); }
  auto end() const { return dims_.end(); }
  void push_back(std::int64_t dim) { dims_.push_back(dim); }  ///< one more

 private:
  std::vector<std::int64_t> dims_;
};

}  // namespace weft
