// Walking a row of any length in vectors, and the reductions every row kernel needs. Included once
// an instruction set (Highway's foreach_target), so the guard toggles. T is float or double.
#if defined(WEFT_CORE_KERNELS_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_CORE_KERNELS_ROWS_INL_H
#undef WEFT_CORE_KERNELS_ROWS_INL_H
#else
#define WEFT_CORE_KERNELS_ROWS_INL_H
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/kernels/vector_math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The first `count` (1 .. Lanes - 1) elements at p; the other lanes hold `fill`. Reads nothing
/// beyond them.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_tail(D d, const T* HWY_RESTRICT p, std::size_t count, T fill) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN T lanes[HWY_MAX_BYTES / sizeof(T)];
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = i < count ? p[i] : fill;
  return hn::Load(d, lanes);
#else
  const auto mask = hn::FirstN(d, count);
  return hn::IfThenElse(mask, hn::MaskedLoad(mask, d, p), hn::Set(d, fill));
#endif
}

/// Writes the first `count` lanes and nothing else. Element by element below AVX-512, because a
/// masked store costs dozens of cycles on AMD's cores.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void store_tail(D d, hn::Vec<D> v, T* HWY_RESTRICT p, std::size_t count) {
#if HWY_TARGET <= HWY_AVX3 || HWY_HAVE_SCALABLE
  hn::BlendedStore(v, hn::FirstN(d, count), d, p);
#else
  HWY_ALIGN T lanes[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, lanes);
  for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
#endif
}

/// e^v where v is at most 88, as it is in every softmax: Exp without what it does for larger
/// arguments and for denormal results, which become 0. double, which only checks gradients, goes
/// through std::exp.
template <class D>
HWY_INLINE hn::Vec<D> exp_of(D d, hn::Vec<D> v) {
  using T = hn::TFromD<D>;
  if constexpr (std::is_same_v<T, float>) {
    hn::Vec<hn::RebindToSigned<D>> n;
    const auto p = hn::Add(ExpReduced(d, v, n), hn::Set(d, 1.0f));
    return hn::IfThenZeroElse(hn::Lt(v, hn::Set(d, -87.0f)), hn::Mul(p, PowerOf2(d, n)));
  } else {
    HWY_ALIGN T lanes[HWY_MAX_BYTES / sizeof(T)];
    hn::Store(v, d, lanes);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = std::exp(lanes[i]);
    return hn::Load(d, lanes);
  }
}

template <class D>
HWY_INLINE hn::TFromD<D> sum_lanes(D d, hn::Vec<D> v) {
  return hn::GetLane(hn::SumOfLanes(d, v));
}

/// Largest of n elements; -inf over nothing. Four running maxima hide the latency of one.
template <class T>
HWY_INLINE T row_max(const T* HWY_RESTRICT x, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const std::size_t n = static_cast<std::size_t>(count), lanes = hn::Lanes(d);
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  auto m0 = hn::Set(d, kLowest), m1 = m0, m2 = m0, m3 = m0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    m0 = hn::Max(m0, hn::LoadU(d, x + i));
    m1 = hn::Max(m1, hn::LoadU(d, x + i + lanes));
    m2 = hn::Max(m2, hn::LoadU(d, x + i + 2 * lanes));
    m3 = hn::Max(m3, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) m0 = hn::Max(m0, hn::LoadU(d, x + i));
  if (i < n) m1 = hn::Max(m1, load_tail(d, x + i, n - i, kLowest));
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(hn::Max(m0, m1), hn::Max(m2, m3))));
}

/// y = e^(x - shift) over n elements; returns their sum. x and y may be the same.
template <class T>
HWY_INLINE T row_exp_sum(const T* x, T* y, std::int64_t count, T shift) {
  const hn::ScalableTag<T> d;
  const std::size_t n = static_cast<std::size_t>(count), lanes = hn::Lanes(d);
  const auto minus = hn::Set(d, -shift);
  auto s0 = hn::Zero(d), s1 = s0;
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto e0 = exp_of(d, hn::Add(hn::LoadU(d, x + i), minus));
    const auto e1 = exp_of(d, hn::Add(hn::LoadU(d, x + i + lanes), minus));
    s0 = hn::Add(s0, e0);
    s1 = hn::Add(s1, e1);
    hn::StoreU(e0, d, y + i);
    hn::StoreU(e1, d, y + i + lanes);
  }
  for (; i + lanes <= n; i += lanes) {
    const auto e = exp_of(d, hn::Add(hn::LoadU(d, x + i), minus));
    s0 = hn::Add(s0, e);
    hn::StoreU(e, d, y + i);
  }
  if (i < n) {
    const auto e = exp_of(d, hn::Add(load_tail(d, x + i, n - i, T(0)), minus));
    s1 = hn::Add(s1, hn::IfThenElseZero(hn::FirstN(d, n - i), e));
    store_tail(d, e, y + i, n - i);
  }
  return sum_lanes(d, hn::Add(s0, s1));
}

/// Sum of e^(x - shift) over n elements, nothing written.
template <class T>
HWY_INLINE T row_sum_exp(const T* HWY_RESTRICT x, std::int64_t count, T shift) {
  const hn::ScalableTag<T> d;
  const std::size_t n = static_cast<std::size_t>(count), lanes = hn::Lanes(d);
  const auto minus = hn::Set(d, -shift);
  auto s0 = hn::Zero(d), s1 = s0;
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    s0 = hn::Add(s0, exp_of(d, hn::Add(hn::LoadU(d, x + i), minus)));
    s1 = hn::Add(s1, exp_of(d, hn::Add(hn::LoadU(d, x + i + lanes), minus)));
  }
  for (; i + lanes <= n; i += lanes)
    s0 = hn::Add(s0, exp_of(d, hn::Add(hn::LoadU(d, x + i), minus)));
  if (i < n) {
    const auto e = exp_of(d, hn::Add(load_tail(d, x + i, n - i, T(0)), minus));
    s1 = hn::Add(s1, hn::IfThenElseZero(hn::FirstN(d, n - i), e));
  }
  return sum_lanes(d, hn::Add(s0, s1));
}

/// y = a * x + b over n elements. x and y may be the same.
template <class T>
HWY_INLINE void row_affine(const T* x, T* y, std::int64_t count, T a, T b) {
  const hn::ScalableTag<T> d;
  const std::size_t n = static_cast<std::size_t>(count), lanes = hn::Lanes(d);
  const auto va = hn::Set(d, a), vb = hn::Set(d, b);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::MulAdd(va, hn::LoadU(d, x + i), vb), d, y + i);
  if (i < n) store_tail(d, hn::MulAdd(va, load_tail(d, x + i, n - i, T(0)), vb), y + i, n - i);
}

/// sum of x * y over n elements.
template <class T>
HWY_INLINE T row_dot(const T* HWY_RESTRICT x, const T* HWY_RESTRICT y, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const std::size_t n = static_cast<std::size_t>(count), lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), s0);
    s1 = hn::MulAdd(hn::LoadU(d, x + i + lanes), hn::LoadU(d, y + i + lanes), s1);
    s2 = hn::MulAdd(hn::LoadU(d, x + i + 2 * lanes), hn::LoadU(d, y + i + 2 * lanes), s2);
    s3 = hn::MulAdd(hn::LoadU(d, x + i + 3 * lanes), hn::LoadU(d, y + i + 3 * lanes), s3);
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), s0);
  if (i < n)
    s1 = hn::MulAdd(load_tail(d, x + i, n - i, T(0)), load_tail(d, y + i, n - i, T(0)), s1);
  return sum_lanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
}

/// sum of x over n elements.
template <class T>
HWY_INLINE T row_sum(const T* HWY_RESTRICT x, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const std::size_t n = static_cast<std::size_t>(count), lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, hn::LoadU(d, x + i));
    s1 = hn::Add(s1, hn::LoadU(d, x + i + lanes));
    s2 = hn::Add(s2, hn::LoadU(d, x + i + 2 * lanes));
    s3 = hn::Add(s3, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, hn::LoadU(d, x + i));
  if (i < n) s1 = hn::Add(s1, load_tail(d, x + i, n - i, T(0)));
  return sum_lanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling guard
