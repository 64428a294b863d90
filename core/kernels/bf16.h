// Numbers in bfloat16 and the one step of a sum that AVX512_BF16 makes, bit by bit.
#pragma once

#include <cmath>

#include "core/bfloat16.h"

namespace weft::kernels {

/// As the instruction reads a number: rounded, and a zero of its sign where it is below 2^-126.
inline BFloat16 to_bf16(float x) {
  return BFloat16(std::abs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x);
}
inline float rounded_to_bf16(float x) { return to_bf16(x); }

/// a b + c rounded once; a result below 2^-126 after rounding becomes a zero of its sign. a and b
/// are numbers in bfloat16, c is no subnormal number. On x86 FMA does just this while subnormal
/// numbers are flushed (flush_to_zero.h); on Arm it flushes before it rounds.
inline float bf16_step(float a, float b, float c) {
  constexpr float kLeast = 0x1p-126f;
  const float sum = std::fma(a, b, c);
  const float size = std::abs(sum);
  if (!(size <= kLeast)) return sum;
  if (size < kLeast) return std::copysign(0.0f, sum);
  // Rounded with all 24 bits: from here on up it is 2^-126. The sum is exact in double where that
  // matters: both terms are near it then, or the smaller cannot move it across.
  const double exact = static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c);
  return std::abs(exact) < 0x1p-126 - 0x1p-151 ? std::copysign(0.0f, sum) : sum;
}

}  // namespace weft::kernels
