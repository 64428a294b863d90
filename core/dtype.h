// Element types and the step from a run-time type to a compile-time one.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/bfloat16.h"
#include "core/error.h"

namespace weft {

/// f32 to train, f64 to check gradients, i32/i64 for ids, u8 for pixels and masks, bf16 to keep
/// what products in bfloat16 read (core/precision.h): copied, cast, read and written, no more.
enum class DType : std::uint8_t { f32, f64, i32, i64, u8, bf16 };

/// "f32", "f64", "i32", "i64", "u8", "bf16".
constexpr std::string_view name(DType dtype) {
  constexpr std::string_view kNames[] = {"f32", "f64", "i32", "i64", "u8", "bf16"};
  return kNames[static_cast<int>(dtype)];
}

/// Bytes of one element.
constexpr std::int64_t item_size(DType dtype) {
  constexpr std::int64_t kSizes[] = {4, 8, 4, 8, 1, 2};
  return kSizes[static_cast<int>(dtype)];
}

/// Whether it is f32 or f64, which ops compute with.
constexpr bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

/// The dtype of a C++ type.
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DType::i32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return DType::i64;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return DType::u8;
  else {
    static_assert(std::is_same_v<T, BFloat16>, "no weft dtype for this C++ type");
    return DType::bf16;
  }
}

/// Calls `f(T{})` with the C++ type of a float dtype. Throws DTypeError for an integer dtype.
template <class F>
decltype(auto) dispatch_float(DType dtype, std::string_view where, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    default:
      fail<DTypeError>(where, "expects f32 or f64, got {}", name(dtype));
  }
}

/// Calls `f(T{})` with the C++ type of an id dtype (i32 or i64). Throws DTypeError otherwise.
template <class F>
decltype(auto) dispatch_index(DType dtype, std::string_view where, F&& f) {
  switch (dtype) {
    case DType::i32:
      return f(std::int32_t{});
    case DType::i64:
      return f(std::int64_t{});
    default:
      fail<DTypeError>(where, "expects ids as i32 or i64, got {}", name(dtype));
  }
}

/// Calls `f(T{})` with the C++ type of any dtype.
template <class F>
decltype(auto) dispatch_any(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f64:
      return f(double{});
    case DType::i32:
      return f(std::int32_t{});
    case DType::i64:
      return f(std::int64_t{});
    case DType::u8:
      return f(std::uint8_t{});
    case DType::bf16:
      return f(BFloat16{});
    default:
      return f(float{});
  }
}

}  // namespace weft
