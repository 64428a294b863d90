// Copying between any two geometries and element types.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "core/bfloat16.h"
#include "core/dtype.h"
#include "core/shape.h"

namespace weft::kernels {

/// Converts one element. Towards an integer it truncates and saturates, and NaN becomes 0.
template <class To, class From>
inline To convert(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, BFloat16>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return BFloat16(static_cast<float>(value));
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From kHigh = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) *
                           2;  // max + 1, exact in any float type
    if (value != value) return 0;
    if (value <= kLow) return std::numeric_limits<To>::min();
    if (value >= kHigh) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    constexpr auto kLow = static_cast<std::int64_t>(std::numeric_limits<To>::min());
    constexpr auto kHigh = static_cast<std::int64_t>(std::numeric_limits<To>::max());
    return static_cast<To>(std::clamp<std::int64_t>(value, kLow, kHigh));
  }
}

/// to[index] = convert(from[index]) for every index of `shape`; strides in elements, those of
/// `from` may be 0. The two may not overlap. Runs on several threads.
void copy_strided(const Shape& shape, std::byte* to, DType to_dtype, const Shape& to_strides,
                  const std::byte* from, DType from_dtype, const Shape& from_strides);

}  // namespace weft::kernels
