// Multiply-adds that round once on every target. Highway's portable ones (scalar, emulated) round
// twice; kernels use these instead of hn::MulAdd and its kin, so that all targets give equal bits.
// Included once an instruction set (Highway's foreach_target), so the guard toggles.
#if defined(WEFT_CORE_KERNELS_FUSED_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_CORE_KERNELS_FUSED_INL_H
#undef WEFT_CORE_KERNELS_FUSED_INL_H
#else
#define WEFT_CORE_KERNELS_FUSED_INL_H
#endif

#include <cmath>
#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
/// a b + c.
template <class V>
HWY_INLINE V FusedMulAdd(V a, V b, V c) {
  return V(std::fma(a.raw, b.raw, c.raw));
}
/// c - a b.
template <class V>
HWY_INLINE V FusedNegMulAdd(V a, V b, V c) {
  return V(std::fma(-a.raw, b.raw, c.raw));
}
/// a b - c.
template <class V>
HWY_INLINE V FusedMulSub(V a, V b, V c) {
  return V(std::fma(a.raw, b.raw, -c.raw));
}
#elif HWY_TARGET == HWY_EMU128  // what clang has instead of HWY_SCALAR
/// f of each lane.
template <class V, class F>
HWY_INLINE V each_lane(V a, V b, V c, const F& f) {
  V result;
  for (std::size_t i = 0; i < sizeof(a.raw) / sizeof(a.raw[0]); ++i)
    result.raw[i] = f(a.raw[i], b.raw[i], c.raw[i]);
  return result;
}
template <class V>
HWY_INLINE V FusedMulAdd(V a, V b, V c) {
  return each_lane(a, b, c, [](auto x, auto y, auto z) { return std::fma(x, y, z); });
}
template <class V>
HWY_INLINE V FusedNegMulAdd(V a, V b, V c) {
  return each_lane(a, b, c, [](auto x, auto y, auto z) { return std::fma(-x, y, z); });
}
template <class V>
HWY_INLINE V FusedMulSub(V a, V b, V c) {
  return each_lane(a, b, c, [](auto x, auto y, auto z) { return std::fma(x, y, -z); });
}
#else
template <class V>
HWY_INLINE V FusedMulAdd(V a, V b, V c) {
  return hn::MulAdd(a, b, c);
}
template <class V>
HWY_INLINE V FusedNegMulAdd(V a, V b, V c) {
  return hn::NegMulAdd(a, b, c);
}
template <class V>
HWY_INLINE V FusedMulSub(V a, V b, V c) {
  return hn::MulSub(a, b, c);
}
#endif

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling guard
