// Products of cells of pairs by AVX512_BF16's instruction, which Highway 1.0.3 does not have.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <string>

#include "core/error.h"
#include "core/kernels/bf16.h"
#include "core/kernels/flush_to_zero.h"
#include "core/kernels/packed_tile.h"
#include "core/precision.h"
#include "core/simd.h"

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
constexpr Index kRows = 6, kWidth = 32, kLanes = 16;

struct Block {
  const float* a;
  Index a_row, a_column;
  float* c;
  Index ldc;
  const float* base;  ///< what the sums are added to; null: nothing
  Index base_row;
};

WEFT_PAIRS_INLINE void epilogue(__m512 sum, __m512 alpha, const float* base, float* c,
                                Index columns) {
  if (columns <= 0) return;
  const __mmask16 mask = static_cast<__mmask16>(columns >= kLanes ? 0xffffu : (1u << columns) - 1u);
  const __m512 value = base ? _mm512_fmadd_ps(sum, alpha, _mm512_maskz_loadu_ps(mask, base))
                            : _mm512_mul_ps(sum, alpha);
  _mm512_mask_storeu_ps(c, mask, value);
}

/// R rows and one or two vectors of C from `depth` rows of the panel b.
template <int R, bool kTwo>
WEFT_PAIRS void block(const Block& at, const float* b, Index depth, float factor, Index columns) {
  __m512 left[R], right[R];
  for (int r = 0; r < R; ++r) left[r] = right[r] = _mm512_setzero_ps();
  const float* a = at.a;
  for (Index p = 0; p < depth; ++p, a += at.a_column, b += kWidth) {
    const __m512i b0 = _mm512_load_si512(b);
    const __m512i b1 = kTwo ? _mm512_load_si512(b + kLanes) : b0;
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const __m512i pair = _mm512_castps_si512(_mm512_set1_ps(a[r * at.a_row]));
      left[r] = _mm512_dpbf16_ps(left[r], (__m512bh)pair, (__m512bh)b0);
      if (kTwo) right[r] = _mm512_dpbf16_ps(right[r], (__m512bh)pair, (__m512bh)b1);
    }
  }
  const __m512 alpha = _mm512_set1_ps(factor);
  for (int r = 0; r < R; ++r) {
    const float* const base = at.base ? at.base + r * at.base_row : nullptr;
    float* const c = at.c + r * at.ldc;
    epilogue(left[r], alpha, base, c, columns);
    if (kTwo)
      epilogue(right[r], alpha, base ? base + kLanes : nullptr, c + kLanes, columns - kLanes);
  }
}

template <bool kTwo>
WEFT_PAIRS void of_rows(Index rows, const Block& at, const float* b, Index depth, float alpha,
                        Index columns) {
  switch (rows) {
    case 1:
      return block<1, kTwo>(at, b, depth, alpha, columns);
    case 2:
      return block<2, kTwo>(at, b, depth, alpha, columns);
    case 3:
      return block<3, kTwo>(at, b, depth, alpha, columns);
    case 4:
      return block<4, kTwo>(at, b, depth, alpha, columns);
    case 5:
      return block<5, kTwo>(at, b, depth, alpha, columns);
    default:
      return block<6, kTwo>(at, b, depth, alpha, columns);
  }
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
        return static_cast<std::uint16_t>((next() & 0x8000u) | exponent << 7 | (next() & 0x7fu));
      };
      const std::uint16_t a0 = number(size), a1 = number(size), b0 = number(63), b1 = number(63);
      a[i] = static_cast<std::uint32_t>(a1) << 16 | a0;
      b[i] = static_cast<std::uint32_t>(b1) << 16 | b0;
      sums[i] = std::bit_cast<float>(static_cast<std::uint32_t>(
          (next() & 0x807fffffu) | static_cast<std::uint64_t>(std::max(1u, size - 64)) << 23));
      expected[i] =
          bf16_step(from_bf16(a0), from_bf16(b0), bf16_step(from_bf16(a1), from_bf16(b1), sums[i]));
    }
    one_step(a.data(), b.data(), sums.data());
    for (std::size_t i = 0; i < 16; ++i)
      if (std::bit_cast<std::uint32_t>(sums[i]) != std::bit_cast<std::uint32_t>(expected[i]))
        return false;
  }
  return true;
}

}  // namespace

void multiply_pairs(const PackedTile& tile) {
  const PackedGemm& t = tile.product;
  const FlushToZero flush;
  const Index offset = tile.panel_depth == t.k ? tile.first : 0;
  for (Index p = 0; p < tile.depth; p += tile.step) {
    const Index part = std::min(tile.step, tile.depth - p);
    for (Index i = tile.begin; i < tile.end; ++i) {
      const Index column = i * kWidth, columns = std::min(kWidth, t.n - column);
      const float* const panel = tile.panels + (i * tile.panel_depth + offset + p) * kWidth;
      for (Index r = tile.row; r < tile.row + tile.rows; r += kRows) {
        float* const c = t.c + r * t.ldc + column;
        const bool onto_c = tile.first + p > 0 || t.accumulate;
        const Block at{tile.strips ? tile.strips + r * tile.depth + p * kRows
                                   : t.a + r * t.a_row + (tile.first + p) * t.a_column,
                       tile.strips ? 1 : t.a_row,
                       tile.strips ? kRows : t.a_column,
                       c,
                       t.ldc,
                       onto_c   ? c
                       : t.bias ? t.bias + column
                                : nullptr,
                       onto_c ? t.ldc : 0};
        const Index count = std::min(kRows, tile.row + tile.rows - r);
        if (columns > kLanes)
          of_rows<true>(count, at, panel, part, t.alpha, columns);
        else
          of_rows<false>(count, at, panel, part, t.alpha, columns);
      }
    }
  }
}

bool bf16_pairs_work() {
  static const bool there = __builtin_cpu_supports("avx512bf16") != 0 && agrees();
  return there &&
         simd_in_use().starts_with("avx3");  // the sets below are for seeing other machines
}
#else
void multiply_pairs(const PackedTile&) {}
bool bf16_pairs_work() { return false; }
#endif

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
  return kernels::bf16_pairs_work() ? "avx512_bf16" : "f32 multiply-adds";
}

}  // namespace weft
