#include "core/kernels/bf16_cells.h"

#include <algorithm>

#include "core/kernels/bf16.h"
#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/bf16_cells.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using Index = std::int64_t;
using Tag = hn::ScalableTag<std::uint32_t>;
using Bits = hn::Vec<Tag>;

/// to_bf16(), in the upper half of each element.
HWY_INLINE Bits rounded(Bits bits) {
  const Tag d;
  const Bits upper = hn::Set(d, 0xffff0000u);
  const Bits even = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
  const Bits number = hn::And(hn::Add(hn::Add(bits, hn::Set(d, 0x7fffu)), even), upper);
  // Zeros, subnormal numbers and NaN are rare: those of the last two are not `number`.
  const Bits size = hn::And(bits, hn::Set(d, 0x7fffffffu));
  if (HWY_LIKELY(
          hn::AllFalse(d, hn::Gt(hn::Sub(size, hn::Set(d, 0x00800000u)), hn::Set(d, 0x7f000000u)))))
    return number;
  const Bits nan = hn::Or(hn::And(bits, upper), hn::Set(d, 0x00400000u));
  const Bits zero = hn::And(bits, hn::Set(d, 0x80000000u));
  const auto is_nan = hn::Gt(size, hn::Set(d, 0x7f800000u));
  const auto is_tiny = hn::Lt(size, hn::Set(d, 0x00800000u));
  return hn::IfThenElse(is_tiny, zero, hn::IfThenElse(is_nan, nan, number));
}
HWY_INLINE Bits load(const float* from) {
  return hn::LoadU(Tag(), reinterpret_cast<const std::uint32_t*>(from));
}
HWY_INLINE void store(Bits bits, float* to) {
  hn::StoreU(bits, Tag(), reinterpret_cast<std::uint32_t*>(to));
}

/// A pair in one cell, or as two.
void pair_of(float first, float second, bool split, float* to) {
  if (split) {
    to[0] = rounded_to_bf16(second), to[1] = rounded_to_bf16(first);
  } else {
    to[0] =
        std::bit_cast<float>(static_cast<std::uint32_t>(to_bf16(second)) << 16 | to_bf16(first));
  }
}

/// A line whose terms lie side by side.
void row_along(const float* from, Index length, bool split, float* to) {
  [[maybe_unused]] const Index lanes = static_cast<Index>(hn::Lanes(Tag()));
  Index i = 0;
#if HWY_TARGET != HWY_SCALAR
  if (split) {
    for (; i + lanes <= length; i += lanes) store(hn::Shuffle2301(rounded(load(from + i))), to + i);
  } else {
    for (; i + 2 * lanes <= length; i += 2 * lanes) {
      const Bits low = rounded(load(from + i)), high = rounded(load(from + i + lanes));
      store(hn::Or(hn::ShiftRight<16>(hn::ConcatEven(Tag(), high, low)),
                   hn::ConcatOdd(Tag(), high, low)),
            to + i / 2);
    }
  }
#endif
  for (; i < length; i += 2)
    pair_of(from[i], i + 1 < length ? from[i + 1] : 0.0f, split, to + (split ? i : i / 2));
}

/// A pair of terms of `lines` lines that lie side by side; `second` null: it is 0.
void pair_across(const float* first, const float* second, Index lines, bool split, float* to,
                 Index stride) {
  const Index lanes = static_cast<Index>(hn::Lanes(Tag()));
  float* const below = to + stride;  // of split cells
  Index i = 0;
  for (; i + lanes <= lines; i += lanes) {
    const Bits low = rounded(load(first + i)),
               high = second ? rounded(load(second + i)) : hn::Zero(Tag());
    if (split) {
      store(high, to + i);
      store(low, below + i);
    } else {
      store(hn::Or(hn::ShiftRight<16>(low), high), to + i);
    }
  }
  for (; i < lines; ++i) {
    float cells[2];
    pair_of(first[i], second ? second[i] : 0.0f, split, cells);
    to[i] = cells[0];
    if (split) below[i] = cells[1];
  }
}

bool is_avx3() {
#if HWY_ARCH_X86
  return HWY_TARGET <= HWY_AVX3;  // the better, the lower
#else
  return false;
#endif
}

void round_row(const float* from, Index count, float* to) {
  const Index lanes = static_cast<Index>(hn::Lanes(Tag()));
  Index i = 0;
  for (; i + lanes <= count; i += lanes) store(rounded(load(from + i)), to + i);
  for (; i < count; ++i) to[i] = rounded_to_bf16(from[i]);
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(row_along);
HWY_EXPORT(pair_across);
HWY_EXPORT(round_row);
HWY_EXPORT(is_avx3);
constexpr std::int64_t kGrain = 32768;  // elements worth a task
}  // namespace

bool avx3_in_use() { return HWY_DYNAMIC_DISPATCH(is_avx3)(); }

void cells_along(Cells cells, const float* from, std::int64_t lines, std::int64_t line,
                 std::int64_t length, float* to, std::int64_t stride) {
  const bool split = cells == Cells::split, instruction = bf16_conversions();
  for (std::int64_t i = 0; i < lines; ++i, from += line, to += stride) {
    if (instruction)
      instruction_along(from, length, split, to);
    else
      HWY_DYNAMIC_DISPATCH(row_along)(from, length, split, to);
  }
}

void cells_across(Cells cells, const float* from, std::int64_t lines, std::int64_t length,
                  std::int64_t term, float* to, std::int64_t stride) {
  const bool split = cells == Cells::split, instruction = bf16_conversions();
  const std::int64_t step = (split ? 2 : 1) * stride;
  for (std::int64_t p = 0; p < length; p += 2, from += 2 * term, to += step) {
    const float* const second = p + 1 < length ? from + term : nullptr;
    if (instruction)
      instruction_across(from, second, lines, split, to, stride);
    else
      HWY_DYNAMIC_DISPATCH(pair_across)(from, second, lines, split, to, stride);
  }
}

void round_to_bf16(const float* from, std::int64_t count, float* to) {
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(round_row)(from + begin, end - begin, to + begin);
  });
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
