// Walking a row of any length in vectors, and the reductions every row kernel needs. Included once
// an instruction set (Highway's foreach_target), so the guard toggles. T is float or double.
#if defined(WEFT_CORE_KERNELS_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_CORE_KERNELS_ROWS_INL_H
#undef WEFT_CORE_KERNELS_ROWS_INL_H
#else
#define WEFT_CORE_KERNELS_ROWS_INL_H
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/kernels/vector_math-inl.h"
#include "core/math.h"
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
/// through math::exp.
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
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = math::exp(lanes[i]);
    return hn::Load(d, lanes);
  }
}

/// Sixteen running values, in as many vectors as that takes: what a reduction adds up is the same
/// on every instruction set. kLanes is not the vector's width, and no result depends on that.
constexpr std::int64_t kLanes = 16;
template <class T>
constexpr std::int64_t kVectors = kLanes /
                                  static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
static_assert(kVectors<float> >= 1 && kVectors<double> >= 1);

template <class T>
struct Lanes {
  using D = hn::ScalableTag<T>;
  hn::Vec<D> part[kVectors<T>];
  // Written out, so that it is compiled for the instruction set, which an implicit one is not.
  HWY_INLINE Lanes() {}  // NOLINT(modernize-use-equals-default)

  /// result.part[i] = f(i, first lane of it).
  template <class F>
  static HWY_INLINE Lanes make(const F& f) {
    Lanes result;
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kVectors<T>; ++i)
      result.part[i] = f(i, i * (kLanes / kVectors<T>));
    return result;
  }
  static HWY_INLINE Lanes all(T value) {
    return make([&](std::int64_t, std::int64_t) HWY_ATTR { return hn::Set(D(), value); });
  }
  static HWY_INLINE Lanes load(const T* p) {
    return make([&](std::int64_t, std::int64_t at) HWY_ATTR { return hn::LoadU(D(), p + at); });
  }
  /// The first `count` (1 .. 15) elements; the other lanes hold `fill`.
  static HWY_INLINE Lanes load_tail(const T* p, std::int64_t count, T fill) {
    constexpr std::int64_t kWidth = kLanes / kVectors<T>;
    return make([&](std::int64_t, std::int64_t at) HWY_ATTR {
      const std::int64_t rest = count - at;
      if (rest >= kWidth) return hn::LoadU(D(), p + at);
      if (rest <= 0) return hn::Set(D(), fill);
      const std::size_t some = static_cast<std::size_t>(rest);
      return kernels::HWY_NAMESPACE::load_tail(D(), p + at, some, fill);
    });
  }
  HWY_INLINE void store(T* p) const {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kVectors<T>; ++i)
      hn::StoreU(part[i], D(), p + i * (kLanes / kVectors<T>));
  }
  HWY_INLINE void store_tail(T* p, std::int64_t count) const {
    constexpr std::int64_t kWidth = kLanes / kVectors<T>;
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kVectors<T>; ++i) {
      const std::int64_t rest = count - i * kWidth;
      if (rest >= kWidth)
        hn::StoreU(part[i], D(), p + i * kWidth);
      else if (rest > 0)
        kernels::HWY_NAMESPACE::store_tail(D(), part[i], p + i * kWidth,
                                           static_cast<std::size_t>(rest));
    }
  }
};

/// f of each vector.
template <class T, class F, class... More>
HWY_INLINE Lanes<T> each(const F& f, const Lanes<T>& a, const More&... more) {
  return Lanes<T>::make([&](std::int64_t i, std::int64_t)
                            HWY_ATTR { return f(a.part[i], more.part[i]...); });
}
template <class T>
HWY_INLINE Lanes<T> add(const Lanes<T>& a, const Lanes<T>& b) {
  return each([](auto x, auto y) HWY_ATTR { return hn::Add(x, y); }, a, b);
}
/// a * b + c.
template <class T>
HWY_INLINE Lanes<T> mul_add(const Lanes<T>& a, const Lanes<T>& b, const Lanes<T>& c) {
  return each([](auto x, auto y, auto z) HWY_ATTR { return FusedMulAdd(x, y, z); }, a, b, c);
}
template <class T>
HWY_INLINE Lanes<T> max(const Lanes<T>& a, const Lanes<T>& b) {
  return each([](auto x, auto y) HWY_ATTR { return hn::Max(x, y); }, a, b);
}

/// Lane i joins lane i + half of as many, until one is left.
template <class D, class Join>
HWY_INLINE hn::TFromD<D> joined([[maybe_unused]] D d, hn::Vec<D> v,
                                [[maybe_unused]] const Join& join) {
#if HWY_TARGET == HWY_SCALAR
  return hn::GetLane(v);
#else
  if constexpr (hn::MaxLanes(d) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return joined(half, join(hn::LowerHalf(half, v), hn::UpperHalf(half, v)), join);
  }
#endif
}
template <class T, class Join>
HWY_INLINE T joined(Lanes<T> v, const Join& join) {
#pragma GCC unroll 4
  for (std::int64_t half = kVectors<T> / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (std::int64_t i = 0; i < half; ++i) v.part[i] = join(v.part[i], v.part[i + half]);
  return joined(hn::ScalableTag<T>(), v.part[0], join);
}
template <class T>
HWY_INLINE T sum_lanes(const Lanes<T>& v) {
  return joined(v, [](auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
}
template <class T>
HWY_INLINE T max_lanes(const Lanes<T>& v) {
  return joined(v, [](auto a, auto b) HWY_ATTR { return hn::Max(a, b); });
}

/// Largest of n elements; -inf over nothing. Four running maxima hide the latency of one.
template <class T>
HWY_INLINE T row_max(const T* HWY_RESTRICT x, std::int64_t n) {
  using L = Lanes<T>;
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  L m0 = L::all(kLowest), m1 = m0, m2 = m0, m3 = m0;
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    m0 = max(m0, L::load(x + i));
    m1 = max(m1, L::load(x + i + kLanes));
    m2 = max(m2, L::load(x + i + 2 * kLanes));
    m3 = max(m3, L::load(x + i + 3 * kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) m0 = max(m0, L::load(x + i));
  if (i < n) m1 = max(m1, L::load_tail(x + i, n - i, kLowest));
  return max_lanes(max(max(m0, m1), max(m2, m3)));
}

/// e^(x - shift).
template <class T>
HWY_INLINE Lanes<T> exp_shifted(const Lanes<T>& x, T shift) {
  const hn::ScalableTag<T> d;
  const auto minus = hn::Set(d, -shift);
  return each([&](auto v) HWY_ATTR { return exp_of(d, hn::Add(v, minus)); }, x);
}
/// The first `count` lanes, the others 0.
template <class T>
HWY_INLINE Lanes<T> first_lanes(const Lanes<T>& x, std::int64_t count) {
  const hn::ScalableTag<T> d;
  return Lanes<T>::make([&](std::int64_t i, std::int64_t at) HWY_ATTR {
    const std::int64_t rest = std::clamp<std::int64_t>(count - at, 0, kLanes / kVectors<T>);
    return hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(rest)), x.part[i]);
  });
}

/// y = e^(x - shift) over n elements; returns their sum. x and y may be the same; y null: the sum
/// alone.
template <class T>
HWY_INLINE T row_exp_sum(const T* x, T* y, std::int64_t n, T shift) {
  using L = Lanes<T>;
  L s0 = L::all(T(0)), s1 = s0;
  std::int64_t i = 0;
  const auto whole = [&](std::int64_t at) HWY_ATTR {
    const L e = exp_shifted(L::load(x + at), shift);
    if (y) e.store(y + at);
    return e;
  };
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    s0 = add(s0, whole(i));
    s1 = add(s1, whole(i + kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) s0 = add(s0, whole(i));
  if (i < n) {
    const L e = exp_shifted(L::load_tail(x + i, n - i, T(0)), shift);
    if (y) e.store_tail(y + i, n - i);
    s1 = add(s1, first_lanes(e, n - i));
  }
  return sum_lanes(add(s0, s1));
}
template <class T>
HWY_INLINE T row_sum_exp(const T* x, std::int64_t n, T shift) {
  return row_exp_sum(x, static_cast<T*>(nullptr), n, shift);
}

/// y = a * x + b over n elements. x and y may be the same.
template <class T>
HWY_INLINE void row_affine(const T* x, T* y, std::int64_t count, T a, T b) {
  const hn::ScalableTag<T> d;
  const std::size_t n = static_cast<std::size_t>(count), lanes = hn::Lanes(d);
  const auto va = hn::Set(d, a), vb = hn::Set(d, b);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(FusedMulAdd(va, hn::LoadU(d, x + i), vb), d, y + i);
  if (i < n) store_tail(d, FusedMulAdd(va, load_tail(d, x + i, n - i, T(0)), vb), y + i, n - i);
}

/// sum of x * y over n elements.
template <class T>
HWY_INLINE T row_dot(const T* HWY_RESTRICT x, const T* HWY_RESTRICT y, std::int64_t n) {
  using L = Lanes<T>;
  L s0 = L::all(T(0)), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 = mul_add(L::load(x + i), L::load(y + i), s0);
    s1 = mul_add(L::load(x + i + kLanes), L::load(y + i + kLanes), s1);
    s2 = mul_add(L::load(x + i + 2 * kLanes), L::load(y + i + 2 * kLanes), s2);
    s3 = mul_add(L::load(x + i + 3 * kLanes), L::load(y + i + 3 * kLanes), s3);
  }
  for (; i + kLanes <= n; i += kLanes) s0 = mul_add(L::load(x + i), L::load(y + i), s0);
  if (i < n) s1 = mul_add(L::load_tail(x + i, n - i, T(0)), L::load_tail(y + i, n - i, T(0)), s1);
  return sum_lanes(add(add(s0, s1), add(s2, s3)));
}

/// sum of x over n elements.
template <class T>
HWY_INLINE T row_sum(const T* HWY_RESTRICT x, std::int64_t n) {
  using L = Lanes<T>;
  L s0 = L::all(T(0)), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 = add(s0, L::load(x + i));
    s1 = add(s1, L::load(x + i + kLanes));
    s2 = add(s2, L::load(x + i + 2 * kLanes));
    s3 = add(s3, L::load(x + i + 3 * kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) s0 = add(s0, L::load(x + i));
  if (i < n) s1 = add(s1, L::load_tail(x + i, n - i, T(0)));
  return sum_lanes(add(add(s0, s1), add(s2, s3)));
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling guard
