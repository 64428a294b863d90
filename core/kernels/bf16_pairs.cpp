// Products of cells of pairs by AVX512_BF16's instruction, which Highway 1.0.3 does not have.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/kernels/bf16.h"
#include "core/kernels/bf16_cells.h"
#include "core/precision.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace weft {
namespace kernels {
#if defined(__x86_64__)
namespace {

#define WEFT_PAIRS __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define WEFT_PAIRS_INLINE WEFT_PAIRS __attribute__((always_inline)) inline

using Index = std::int64_t;
constexpr Index kLanes = 16;

WEFT_PAIRS_INLINE void epilogue(__m512 sum, __m512 alpha, const float* base, float* c,
                                Index columns) {
  if (columns <= 0) return;
  const __mmask16 mask = static_cast<__mmask16>(columns >= kLanes ? 0xffffu : (1u << columns) - 1u);
  const __m512 value = base ? _mm512_fmadd_ps(sum, alpha, _mm512_maskz_loadu_ps(mask, base))
                            : _mm512_mul_ps(sum, alpha);
  _mm512_mask_storeu_ps(c, mask, value);
}

template <bool kTwo>
WEFT_PAIRS_INLINE void epilogue_row(const BlockOperands& at, Index r, __m512 left, __m512 right,
                                    __m512 alpha, Index columns) {
  const float* const base = at.base ? at.base + r * at.base_row : nullptr;
  float* const c = at.c + r * at.ldc;
  epilogue(left, alpha, base, c, columns);
  if constexpr (kTwo)
    epilogue(right, alpha, base ? base + kLanes : nullptr, c + kLanes, columns - kLanes);
}

/// R rows and one or two vectors of C from `depth` rows of the panel b.
template <int R, bool kTwo>
WEFT_PAIRS void block(const BlockOperands& at, const float* b, Index stride, Index depth,
                      float factor, Index columns) {
  const __m512 zero = _mm512_setzero_ps();
  __m512 s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero,
         s31 = zero, s40 = zero, s41 = zero, s50 = zero, s51 = zero;
  const float* a = at.a;
  const Index row = at.a_row;
  for (Index p = 0; p < depth; ++p, a += at.a_column, b += stride) {
    const __m512bh b0 = (__m512bh)_mm512_load_ps(b);
    const __m512bh b1 = kTwo ? (__m512bh)_mm512_load_ps(b + kLanes) : b0;
#define WEFT_STEP(r, left, right)                                  \
  if constexpr (R > r) {                                           \
    const __m512bh pair = (__m512bh)_mm512_set1_ps(a[r * row]);    \
    left = _mm512_dpbf16_ps(left, pair, b0);                       \
    if constexpr (kTwo) right = _mm512_dpbf16_ps(right, pair, b1); \
  }
    WEFT_STEP(0, s00, s01)
    WEFT_STEP(1, s10, s11)
    WEFT_STEP(2, s20, s21)
    WEFT_STEP(3, s30, s31)
    WEFT_STEP(4, s40, s41)
    WEFT_STEP(5, s50, s51)
#undef WEFT_STEP
  }
  const __m512 alpha = _mm512_set1_ps(factor);
  epilogue_row<kTwo>(at, 0, s00, s01, alpha, columns);
  if constexpr (R > 1) epilogue_row<kTwo>(at, 1, s10, s11, alpha, columns);
  if constexpr (R > 2) epilogue_row<kTwo>(at, 2, s20, s21, alpha, columns);
  if constexpr (R > 3) epilogue_row<kTwo>(at, 3, s30, s31, alpha, columns);
  if constexpr (R > 4) epilogue_row<kTwo>(at, 4, s40, s41, alpha, columns);
  if constexpr (R > 5) epilogue_row<kTwo>(at, 5, s50, s51, alpha, columns);
}

template <bool kTwo>
void of_rows(Index rows, const BlockOperands& at, const float* b, Index stride, Index depth,
             float alpha, Index columns) {
  switch (rows) {
    case 1:
      return block<1, kTwo>(at, b, stride, depth, alpha, columns);
    case 2:
      return block<2, kTwo>(at, b, stride, depth, alpha, columns);
    case 3:
      return block<3, kTwo>(at, b, stride, depth, alpha, columns);
    case 4:
      return block<4, kTwo>(at, b, stride, depth, alpha, columns);
    case 5:
      return block<5, kTwo>(at, b, stride, depth, alpha, columns);
    default:
      return block<6, kTwo>(at, b, stride, depth, alpha, columns);
  }
}

// Of the intrinsics with masks: GCC 12 warns of a variable in its own headers without.
constexpr __mmask16 kAll = 0xffff;

/// `count` of the 16 elements.
WEFT_PAIRS_INLINE __mmask16 first_lanes(Index count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffffu : (1u << std::max<Index>(count, 0)) - 1u);
}
/// Rounded, in the lower halves.
WEFT_PAIRS_INLINE __m512i rounded(const float* from, __mmask16 mask) {
  return _mm512_maskz_cvtepu16_epi32(
      kAll, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, from)));
}

/// What the instruction makes of a pair: lane by lane of `sums`.
WEFT_PAIRS void one_step(const std::uint32_t* a, const std::uint32_t* b, float* sums) {
  const __m512i x = _mm512_loadu_si512(a), y = _mm512_loadu_si512(b);
  _mm512_storeu_ps(sums, _mm512_dpbf16_ps(_mm512_loadu_ps(sums), (__m512bh)x, (__m512bh)y));
}

/// The instruction against bf16_step() on numbers of every size, and where sums are subnormal.
bool agrees() {
  std::uint64_t state = 0x9e3779b97f4a7c15u;
  const auto next = [&] {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
  };
  for (int round = 0; round < 512; ++round) {
    std::array<std::uint32_t, 16> a{}, b{};
    std::array<float, 16> sums{}, expected{};
    for (std::size_t i = 0; i < 16; ++i) {
      // Exponents near each other, so that the order of the two steps shows; in every fourth round
      // near the least, so that flushing shows.
      const std::uint32_t size = round % 4 == 0 ? 64 : 100 + static_cast<std::uint32_t>(round % 40);
      const auto number = [&](std::uint32_t exponent) {
        BFloat16 value;
        value.bits =
            static_cast<std::uint16_t>((next() & 0x8000u) | exponent << 7 | (next() & 0x7fu));
        return value;
      };
      const BFloat16 a0 = number(size), a1 = number(size), b0 = number(63), b1 = number(63);
      a[i] = static_cast<std::uint32_t>(a1.bits) << 16 | a0.bits;
      b[i] = static_cast<std::uint32_t>(b1.bits) << 16 | b0.bits;
      sums[i] = std::bit_cast<float>(static_cast<std::uint32_t>(
          (next() & 0x807fffffu) | static_cast<std::uint64_t>(std::max(1u, size - 64)) << 23));
      expected[i] = bf16_step(a0, b0, bf16_step(a1, b1, sums[i]));
    }
    one_step(a.data(), b.data(), sums.data());
    for (std::size_t i = 0; i < 16; ++i)
      if (std::bit_cast<std::uint32_t>(sums[i]) != std::bit_cast<std::uint32_t>(expected[i]))
        return false;
  }
  return true;
}

}  // namespace

WEFT_PAIRS void instruction_along(const float* from, Index lines, Index line, Index length,
                                  bool split, float* to, Index stride) {
  for (Index l = 0; l < lines; ++l, from += line, to += stride)
    for (Index i = 0; i < length; i += kLanes) {
      const __m512i bits = rounded(from + i, first_lanes(length - i));
      const Index even = (std::min(kLanes, length - i) + 1) / 2;
      if (split) {
        // The second of each pair first.
        const __m512i cells = _mm512_maskz_shuffle_epi32(
            kAll, _mm512_maskz_slli_epi32(kAll, bits, 16), _MM_PERM_CDAB);
        _mm512_mask_storeu_epi32(to + i, first_lanes(2 * even), cells);
      } else {
        _mm256_mask_storeu_epi32(to + i / 2, static_cast<__mmask8>((1u << even) - 1u),
                                 _mm512_maskz_cvtepi32_epi16(kAll, bits));
      }
    }
}

WEFT_PAIRS void instruction_across(const float* from, Index lines, Index length, Index term,
                                   bool split, float* to, Index stride) {
  const Index step = (split ? 2 : 1) * stride;
  for (Index p = 0; p < length; p += 2, from += 2 * term, to += step) {
    const float* const second = p + 1 < length ? from + term : nullptr;
    for (Index i = 0; i < lines; i += kLanes) {
      const __mmask16 mask = first_lanes(lines - i);
      const __m512i low = rounded(from + i, mask),
                    high = second ? _mm512_maskz_slli_epi32(kAll, rounded(second + i, mask), 16)
                                  : _mm512_setzero_si512();
      if (split) {
        _mm512_mask_storeu_epi32(to + i, mask, high);
        _mm512_mask_storeu_epi32(to + stride + i, mask, _mm512_maskz_slli_epi32(kAll, low, 16));
      } else {
        _mm512_mask_storeu_epi32(to + i, mask, _mm512_or_si512(low, high));
      }
    }
  }
}

WEFT_PAIRS void instruction_round(const float* from, Index count, BFloat16* to) {
  for (Index i = 0; i < count; i += kLanes) {
    const __mmask16 mask = first_lanes(count - i);
    _mm256_mask_storeu_epi16(to + i, mask,
                             (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, from + i)));
  }
}

void multiply_pairs(Index rows, const BlockOperands& at, const float* b, Index stride, Index depth,
                    float alpha, Index columns) {
  if (columns > kLanes)
    of_rows<true>(rows, at, b, stride, depth, alpha, columns);
  else
    of_rows<false>(rows, at, b, stride, depth, alpha, columns);
}

namespace {

constexpr Index kTimedSteps = 256;  // of twelve running sums each

WEFT_PAIRS __m512 timed_pairs(__m512 x) {
  __m512 sums[12];
  for (__m512& sum : sums) sum = x;
  for (Index i = 0; i < kTimedSteps; ++i)
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)x);
  for (const __m512& sum : sums) x = _mm512_add_ps(x, sum);
  return x;
}

/// The two multiply-adds of a pair.
WEFT_PAIRS __m512 timed_multiply_adds(__m512 x) {
  __m512 sums[12];
  for (__m512& sum : sums) sum = x;
  for (Index i = 0; i < 2 * kTimedSteps; ++i)
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(x, x, sum);
  for (const __m512& sum : sums) x = _mm512_add_ps(x, sum);
  return x;
}

/// The shortest of several readings, in nanoseconds.
WEFT_PAIRS std::int64_t shortest(__m512 (*work)(__m512)) {
  using Clock = std::chrono::steady_clock;
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  __m512 x = _mm512_setzero_ps();
  for (int reading = 0; reading < 16; ++reading) {
    const Clock::time_point begin = Clock::now();
    x = work(x);
    best = std::min<std::int64_t>(
        best, std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
  }
  volatile float kept = _mm512_cvtss_f32(x);
  static_cast<void>(kept);
  return best;
}

/// Whether this CPU has the instruction, and it does what emulation does.
bool pairs_work() {
  static const bool work = __builtin_cpu_supports("avx512bf16") != 0 && agrees();
  return work;
}
/// Zen 4's takes the time of one multiply-add, Golden Cove's that of four.
bool pairs_are_faster() {
  static const bool faster = shortest(timed_pairs) < shortest(timed_multiply_adds);
  return faster;
}

}  // namespace
#else
using Index = std::int64_t;
void instruction_along(const float*, Index, Index, Index, bool, float*, Index) {}
void instruction_across(const float*, Index, Index, Index, bool, float*, Index) {}
void instruction_round(const float*, Index, BFloat16*) {}
void multiply_pairs(Index, const BlockOperands&, const float*, Index, Index, float, Index) {}
namespace {
bool pairs_work() { return false; }
bool pairs_are_faster() { return false; }
}  // namespace
#endif

namespace {
std::atomic<Bf16Means> means{Bf16Means::fastest};
}

bool bf16_conversions() {
  return means != Bf16Means::multiply_adds && pairs_work() && avx3_in_use();
}

Cells bf16_cells() {
  // Instruction sets below are for seeing other machines.
  if (!bf16_conversions()) return Cells::split;
  return means == Bf16Means::instruction || pairs_are_faster() ? Cells::pairs : Cells::split;
}

}  // namespace kernels

namespace {
std::atomic<Precision> chosen{Precision::f32};
}

void set_precision(Precision precision) { chosen = precision; }
Precision precision() { return chosen.load(std::memory_order_relaxed); }
Precision precision_from_name(const std::string& name) {
  if (name == "f32") return Precision::f32;
  if (name == "bf16") return Precision::bf16;
  fail<ConfigError>("precision", "must be f32 or bf16, got {}", name);
}

std::string bf16_in_use() {
  return kernels::bf16_cells() == kernels::Cells::pairs ? "avx512_bf16" : "multiply-adds";
}

ScopedPrecision::ScopedPrecision(Precision wanted) : before_(chosen.exchange(wanted)) {}
ScopedPrecision::~ScopedPrecision() { chosen = before_; }
ScopedBf16::ScopedBf16(Bf16Means wanted) : before_(kernels::means.exchange(wanted)) {}
ScopedBf16::~ScopedBf16() { kernels::means = before_; }

}  // namespace weft
