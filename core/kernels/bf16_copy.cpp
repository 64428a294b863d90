#include "core/kernels/bf16_copy.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/bf16_copy.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using Index = std::int64_t;
using Wide = hn::ScalableTag<std::uint32_t>;
using Narrow = hn::Rebind<std::uint16_t, Wide>;

void round_row(const float* from, Index count, BFloat16* to) {
  const Wide d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  const hn::RebindToSigned<Wide> di;
  Index i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto bits = hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(from + i));
    const auto even = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
    const auto number = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(d, 0x7fffu)), even));
    const auto nan = hn::Or(hn::ShiftRight<16>(bits), hn::Set(d, 0x40u));
    const auto size = hn::BitCast(di, hn::And(bits, hn::Set(d, 0x7fffffffu)));
    const auto is_nan = hn::RebindMask(d, hn::Gt(size, hn::Set(di, 0x7f800000)));
    hn::StoreU(hn::DemoteTo(Narrow(), hn::BitCast(di, hn::IfThenElse(is_nan, nan, number))),
               Narrow(), reinterpret_cast<std::uint16_t*>(to + i));
  }
  for (; i < count; ++i) to[i] = BFloat16(from[i]);
}

void widen_row(const BFloat16* from, Index count, float* to) {
  const Wide d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto bits = hn::LoadU(Narrow(), reinterpret_cast<const std::uint16_t*>(from + i));
    hn::StoreU(hn::ShiftLeft<16>(hn::PromoteTo(d, bits)), d,
               reinterpret_cast<std::uint32_t*>(to + i));
  }
  for (; i < count; ++i) to[i] = from[i];
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(round_row);
HWY_EXPORT(widen_row);
}  // namespace

void copy_bf16_row(const float* from, std::int64_t count, BFloat16* to) {
  HWY_DYNAMIC_DISPATCH(round_row)(from, count, to);
}
void copy_bf16_row(const BFloat16* from, std::int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(widen_row)(from, count, to);
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
