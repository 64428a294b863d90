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

/// A number, no NaN, rounded in the upper half of each element.
HWY_INLINE Bits rounded_number(Bits bits) {
  const Tag d;
  const Bits even = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
  return hn::And(hn::Add(hn::Add(bits, hn::Set(d, 0x7fffu)), even), hn::Set(d, 0xffff0000u));
}
/// BFloat16's rounding.
HWY_INLINE Bits nearest(Bits bits) {
  const Tag d;
  const Bits nan = hn::Or(hn::And(bits, hn::Set(d, 0xffff0000u)), hn::Set(d, 0x00400000u));
  const auto is_nan = hn::Gt(hn::And(bits, hn::Set(d, 0x7fffffffu)), hn::Set(d, 0x7f800000u));
  return hn::IfThenElse(is_nan, nan, rounded_number(bits));
}
/// to_bf16().
HWY_INLINE Bits rounded(Bits bits) {
  const Tag d;
  // Zeros, subnormal numbers and NaN are rare.
  const Bits size = hn::And(bits, hn::Set(d, 0x7fffffffu));
  if (HWY_LIKELY(
          hn::AllFalse(d, hn::Gt(hn::Sub(size, hn::Set(d, 0x00800000u)), hn::Set(d, 0x7f000000u)))))
    return rounded_number(bits);
  const Bits zero = hn::And(bits, hn::Set(d, 0x80000000u));
  const auto is_tiny = hn::Lt(size, hn::Set(d, 0x00800000u));
  return hn::IfThenElse(is_tiny, zero, nearest(bits));
}
HWY_INLINE Bits load_bits(const float* from) {
  return hn::LoadU(Tag(), reinterpret_cast<const std::uint32_t*>(from));
}
HWY_INLINE Bits load(const float* from) { return rounded(load_bits(from)); }
HWY_INLINE Bits load(const BFloat16* from) {
  const hn::Rebind<std::uint16_t, Tag> narrow;
  return hn::ShiftLeft<16>(
      hn::PromoteTo(Tag(), hn::LoadU(narrow, reinterpret_cast<const std::uint16_t*>(from))));
}
HWY_INLINE void store(Bits bits, float* to) {
  hn::StoreU(bits, Tag(), reinterpret_cast<std::uint32_t*>(to));
}
HWY_INLINE void store(Bits bits, BFloat16* to) {
  const hn::RebindToSigned<Tag> di;
  const hn::Rebind<std::uint16_t, Tag> narrow;
  hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(di, hn::ShiftRight<16>(bits))), narrow,
             reinterpret_cast<std::uint16_t*>(to));
}

/// A pair in one cell, or as two.
void pair_of(float first, float second, bool split, float* to) {
  if (split) {
    to[0] = rounded_to_bf16(second), to[1] = rounded_to_bf16(first);
  } else {
    to[0] = std::bit_cast<float>(static_cast<std::uint32_t>(to_bf16(second).bits) << 16 |
                                 to_bf16(first).bits);
  }
}

/// A line whose terms lie side by side.
template <class T>
HWY_INLINE void line_along(const T* from, Index length, bool split, float* to) {
  [[maybe_unused]] const Index lanes = static_cast<Index>(hn::Lanes(Tag()));
  Index i = 0;
#if HWY_TARGET != HWY_SCALAR
  if (split) {
    for (; i + lanes <= length; i += lanes) store(hn::Shuffle2301(load(from + i)), to + i);
  } else {
    for (; i + 2 * lanes <= length; i += 2 * lanes) {
      const Bits low = load(from + i), high = load(from + i + lanes);
      store(hn::Or(hn::ShiftRight<16>(hn::ConcatEven(Tag(), high, low)),
                   hn::ConcatOdd(Tag(), high, low)),
            to + i / 2);
    }
  }
#endif
  for (; i < length; i += 2)
    pair_of(from[i], i + 1 < length ? from[i + 1] : T(0), split, to + (split ? i : i / 2));
}

/// A pair of terms of `lines` lines that lie side by side; `second` null: it is 0.
template <class T>
HWY_INLINE void terms_across(const T* first, const T* second, Index lines, bool split, float* to,
                             Index stride) {
  const Index lanes = static_cast<Index>(hn::Lanes(Tag()));
  float* const below = to + stride;  // of split cells
  Index i = 0;
  for (; i + lanes <= lines; i += lanes) {
    const Bits low = load(first + i), high = second ? load(second + i) : hn::Zero(Tag());
    if (split) {
      store(high, to + i);
      store(low, below + i);
    } else {
      store(hn::Or(hn::ShiftRight<16>(low), high), to + i);
    }
  }
  for (; i < lines; ++i) {
    float cells[2];
    pair_of(first[i], second ? second[i] : T(0), split, cells);
    to[i] = cells[0];
    if (split) below[i] = cells[1];
  }
}

template <class T>
HWY_INLINE void along(const T* from, Index lines, Index line, Index length, bool split, float* to,
                      Index stride) {
  for (Index i = 0; i < lines; ++i) line_along(from + i * line, length, split, to + i * stride);
}
template <class T>
HWY_INLINE void across(const T* from, Index lines, Index length, Index term, bool split, float* to,
                       Index stride) {
  const Index step = cell_count(split ? Cells::split : Cells::pairs, 2) * stride;
  for (Index p = 0; p < length; p += 2, to += step)
    terms_across(from + p * term, p + 1 < length ? from + (p + 1) * term : nullptr, lines, split,
                 to, stride);
}

void along_f32(const float* from, Index lines, Index line, Index length, bool split, float* to,
               Index stride) {
  along(from, lines, line, length, split, to, stride);
}
void along_bf16(const BFloat16* from, Index lines, Index line, Index length, bool split, float* to,
                Index stride) {
  along(from, lines, line, length, split, to, stride);
}
void across_f32(const float* from, Index lines, Index length, Index term, bool split, float* to,
                Index stride) {
  across(from, lines, length, term, split, to, stride);
}
void across_bf16(const BFloat16* from, Index lines, Index length, Index term, bool split, float* to,
                 Index stride) {
  across(from, lines, length, term, split, to, stride);
}

/// Each element by `vector`, those that fill none by `one`.
template <class From, class To, class Vector, class One>
HWY_INLINE void convert_row(const From* from, Index count, To* to, const Vector& vector,
                            const One& one) {
  const Index lanes = static_cast<Index>(hn::Lanes(Tag()));
  Index i = 0;
  for (; i + lanes <= count; i += lanes) store(vector(from + i), to + i);
  for (; i < count; ++i) to[i] = one(from[i]);
}

void round_cells(const float* from, Index count, BFloat16* to) {
  convert_row(
      from, count, to, [](const float* at) HWY_ATTR { return load(at); }, to_bf16);
}
void round_row(const float* from, Index count, float* to) {
  convert_row(
      from, count, to, [](const float* at) HWY_ATTR { return load(at); }, rounded_to_bf16);
}
void narrow_row(const float* from, Index count, BFloat16* to) {
  convert_row(
      from, count, to, [](const float* at) HWY_ATTR { return nearest(load_bits(at)); },
      [](float x) { return BFloat16(x); });
}
void widen_row(const BFloat16* from, Index count, float* to) {
  convert_row(
      from, count, to, [](const BFloat16* at) HWY_ATTR { return load(at); },
      [](BFloat16 x) { return static_cast<float>(x); });
}

bool is_avx3() {
#if HWY_ARCH_X86
  return HWY_TARGET <= HWY_AVX3;  // the better, the lower
#else
  return false;
#endif
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(along_f32);
HWY_EXPORT(along_bf16);
HWY_EXPORT(across_f32);
HWY_EXPORT(across_bf16);
HWY_EXPORT(round_cells);
HWY_EXPORT(round_row);
HWY_EXPORT(narrow_row);
HWY_EXPORT(widen_row);
HWY_EXPORT(is_avx3);
constexpr std::int64_t kGrain = 32768;  // elements worth a task
}  // namespace

bool avx3_in_use() { return HWY_DYNAMIC_DISPATCH(is_avx3)(); }

void cells_along(Cells cells, Operand from, std::int64_t lines, std::int64_t line,
                 std::int64_t length, float* to, std::int64_t stride) {
  const bool split = cells == Cells::split;
  if (from.bf16)
    HWY_DYNAMIC_DISPATCH(along_bf16)(from.bf16, lines, line, length, split, to, stride);
  else if (bf16_conversions())
    instruction_along(from.f32, lines, line, length, split, to, stride);
  else
    HWY_DYNAMIC_DISPATCH(along_f32)(from.f32, lines, line, length, split, to, stride);
}

void cells_across(Cells cells, Operand from, std::int64_t lines, std::int64_t length,
                  std::int64_t term, float* to, std::int64_t stride) {
  const bool split = cells == Cells::split;
  if (from.bf16)
    HWY_DYNAMIC_DISPATCH(across_bf16)(from.bf16, lines, length, term, split, to, stride);
  else if (bf16_conversions())
    instruction_across(from.f32, lines, length, term, split, to, stride);
  else
    HWY_DYNAMIC_DISPATCH(across_f32)(from.f32, lines, length, term, split, to, stride);
}

void round_operand(const float* from, std::int64_t count, BFloat16* to) {
  const bool instruction = bf16_conversions();
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    if (instruction)
      instruction_round(from + begin, end - begin, to + begin);
    else
      HWY_DYNAMIC_DISPATCH(round_cells)(from + begin, end - begin, to + begin);
  });
}

void round_to_bf16(const float* from, std::int64_t count, float* to) {
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(round_row)(from + begin, end - begin, to + begin);
  });
}

void copy_bf16_row(const float* from, std::int64_t count, BFloat16* to) {
  HWY_DYNAMIC_DISPATCH(narrow_row)(from, count, to);
}
void copy_bf16_row(const BFloat16* from, std::int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(widen_row)(from, count, to);
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
