// Loops over contiguous f32 with a vector body and a tail through a buffer, so that no kernel reads
// or writes past its range. Compiled once per target: include after hwy/highway.h, use inside
// HWY_NAMESPACE.
#if defined(WEFT_CORE_KERNELS_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_CORE_KERNELS_SIMD_INL_H
#undef WEFT_CORE_KERNELS_SIMD_INL_H
#else
#define WEFT_CORE_KERNELS_SIMD_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "core/kernels/fused-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;

/// The first n lanes from p (n <= Lanes), the rest `fill`. Never reads past p + n.
HWY_INLINE HWY_MAYBE_UNUSED FloatVec load_partial(FloatTag d, const float* HWY_RESTRICT p,
                                                  std::int64_t n, float fill = 0.0f) {
  HWY_ALIGN float buffer[hn::MaxLanes(d)];
  hn::Store(hn::Set(d, fill), d, buffer);
  for (std::int64_t i = 0; i < n; ++i) buffer[i] = p[i];
  return hn::Load(d, buffer);
}

/// Writes the first n lanes to p.
HWY_INLINE HWY_MAYBE_UNUSED void store_partial(FloatTag d, FloatVec v, float* p, std::int64_t n) {
  HWY_ALIGN float buffer[hn::MaxLanes(d)];
  hn::Store(v, d, buffer);
  for (std::int64_t i = 0; i < n; ++i) p[i] = buffer[i];
}

/// out[i] = f(x[i]). out may be x.
template <class F>
HWY_INLINE void map(const float* x, float* out, std::int64_t n, F&& f) {
  const FloatTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)), d, out + i);
  if (i < n) store_partial(d, f(load_partial(d, x + i, n - i)), out + i, n - i);
}

/// out[i] = f(x[i], y[i]). out may be x or y.
template <class F>
HWY_INLINE void map(const float* x, const float* y, float* out, std::int64_t n, F&& f) {
  const FloatTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(f(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, out + i);
  if (i < n)
    store_partial(d, f(load_partial(d, x + i, n - i), load_partial(d, y + i, n - i)), out + i,
                  n - i);
}

/// As map, with f in one place: for long functions, whose second copy would cost more to compile
/// than it saves to run.
template <class F>
HWY_INLINE void map_long(const float* x, float* out, std::int64_t n, F&& f) {
  const FloatTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < n; i += lanes) {
    const bool whole = i + lanes <= n;
    const FloatVec y = f(whole ? hn::LoadU(d, x + i) : load_partial(d, x + i, n - i));
    if (whole)
      hn::StoreU(y, d, out + i);
    else
      store_partial(d, y, out + i, n - i);
  }
}
template <class F>
HWY_INLINE void map_long(const float* x, const float* y, float* out, std::int64_t n, F&& f) {
  const FloatTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < n; i += lanes) {
    const bool whole = i + lanes <= n;
    const FloatVec z = f(whole ? hn::LoadU(d, x + i) : load_partial(d, x + i, n - i),
                         whole ? hn::LoadU(d, y + i) : load_partial(d, y + i, n - i));
    if (whole)
      hn::StoreU(z, d, out + i);
    else
      store_partial(d, z, out + i, n - i);
  }
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
