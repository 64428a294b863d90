// bfloat16 as an element of tensors: the upper half of an f32.
#pragma once

#include <bit>
#include <cstdint>

namespace weft {

/// 8 bits of exponent as f32 has, 8 of significand (7 stored). Holds numbers; computing is done in
/// f32.
struct BFloat16 {
  std::uint16_t bits = 0;

  BFloat16() = default;
  /// Rounded to the nearest, ties to even; NaN stays NaN. Subnormal numbers stay.
  constexpr BFloat16(float value) : bits(rounded(std::bit_cast<std::uint32_t>(value))) {}
  constexpr operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }

 private:
  static constexpr std::uint16_t rounded(std::uint32_t f32) {
    if ((f32 & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((f32 >> 16) | 0x40u);
    return static_cast<std::uint16_t>((f32 + 0x7fffu + ((f32 >> 16) & 1u)) >> 16);
  }
};

static_assert(sizeof(BFloat16) == 2);

}  // namespace weft
