// In what precision f32 matrices are multiplied.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// `f32`: as they are. `bf16`: both matrices rounded to bfloat16 (8 bits of a number instead of 24,
/// to the nearest, ties to even; subnormal numbers to zero), their products added in f32, as
/// AVX512_BF16 does it (vdpbf16ps: of each pair of terms the second first, each added with one
/// rounding, subnormal sums to zero). Machines without it come to the same bits.
enum class Precision : std::uint8_t { f32, bf16 };

/// For the whole process; before the first op. f64, which checks gradients, stays as it is.
void set_precision(Precision precision);
Precision precision();
/// "f32" or "bf16". Throws ConfigError for another name.
Precision precision_from_name(const std::string& name);

/// The instruction `avx512_bf16`, or f32 `multiply-adds` of rounded numbers: what products in bf16
/// are computed with here, the faster where the CPU has both.
std::string bf16_in_use();

/// The precision for as long as it lives; only while no other thread computes.
class ScopedPrecision {
 public:
  explicit ScopedPrecision(Precision precision);
  ~ScopedPrecision();
  ScopedPrecision(const ScopedPrecision&) = delete;
  ScopedPrecision& operator=(const ScopedPrecision&) = delete;

 private:
  Precision before_;
};

enum class Bf16Means : std::uint8_t { fastest, instruction, multiply_adds };

/// What is used for as long as it lives, where the CPU has it: for tests; only while no other
/// thread computes.
class ScopedBf16 {
 public:
  explicit ScopedBf16(Bf16Means means);
  ~ScopedBf16();
  ScopedBf16(const ScopedBf16&) = delete;
  ScopedBf16& operator=(const ScopedBf16&) = delete;

 private:
  Bf16Means before_;
};

}  // namespace weft
