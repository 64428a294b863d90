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
