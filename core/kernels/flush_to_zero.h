// While one lives, this thread's floating-point unit takes subnormal numbers for zeros, and makes
// none: as AVX512_BF16 does at all times.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace weft::kernels {

class FlushToZero {
 public:
#if defined(__x86_64__)
  FlushToZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlush); }
  ~FlushToZero() { _mm_setcsr(before_); }
  /// Whether sums may have been flushed that would not have been after rounding: never here.
  static bool flushed_early() { return false; }

 private:
  static constexpr unsigned kFlush = 0x8040;  // FTZ and DAZ
  unsigned before_;
#elif defined(__aarch64__)
  FlushToZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | kFlush));
    asm volatile("msr fpsr, %0" : : "r"(std::uint64_t{0}));
  }
  ~FlushToZero() { asm volatile("msr fpcr, %0" : : "r"(before_)); }
  /// Whether a result was flushed since this began.
  static bool flushed_early() {
    std::uint64_t status = 0;
    asm volatile("mrs %0, fpsr" : "=r"(status));
    return (status & kUnderflow) != 0;
  }

 private:
  static constexpr std::uint64_t kFlush = std::uint64_t{1} << 24, kUnderflow = 1u << 3;
  std::uint64_t before_;
#else
  static bool flushed_early() { return true; }  // nothing flushes: everything goes step by step
#endif

 public:
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;
};

}  // namespace weft::kernels
