#include "core/kernels/attention_tile.h"

#include <algorithm>

#include "core/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/attention_tile.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/dispatch.h"
#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

using Index = std::int64_t;

/// f(vector, i) over the first n elements in whole vectors, the lanes beyond n masked by the
/// caller's `last`, then zeros up to cols.
template <class T, class Body, class Last>
HWY_INLINE void for_visible(T* s, Index n, Index cols, const Body& body, const Last& last) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index i = 0;
  for (; i + lanes <= n; i += lanes) body(i);
  if (i < n) {
    last(i, hn::FirstN(d, static_cast<std::size_t>(n - i)));
    i += lanes;
  }
  for (; i < cols; i += lanes) hn::StoreU(hn::Zero(d), d, s + i);
}

/// Largest of the first n elements of a padded row.
template <class T>
HWY_INLINE T padded_max(const T* s, Index n) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  const auto none = hn::Set(d, -std::numeric_limits<T>::infinity());
  auto m0 = none, m1 = none;
  Index i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    m0 = hn::Max(m0, hn::LoadU(d, s + i));
    m1 = hn::Max(m1, hn::LoadU(d, s + i + lanes));
  }
  if (i + lanes <= n) {
    m0 = hn::Max(m0, hn::LoadU(d, s + i));
    i += lanes;
  }
  if (i < n)
    m1 = hn::Max(m1, hn::IfThenElse(hn::FirstN(d, static_cast<std::size_t>(n - i)),
                                    hn::LoadU(d, s + i), none));
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(m0, m1)));
}

/// s = e^(s - shift) in the first n columns, 0 beyond; returns the sum.
template <class T>
HWY_INLINE T padded_exp(T* s, Index n, Index cols, T shift) {
  using L = Lanes<T>;
  L sum = L::all(T(0));
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const L e = exp_shifted(L::load(s + i), shift);
    e.store(s + i);
    sum = add(sum, e);
  }
  if (i < n) {
    const L e = first_lanes(exp_shifted(L::load(s + i), shift), n - i);
    e.store(s + i);
    sum = add(sum, e);
    i += kLanes;
  }
  for (; i < cols; i += kLanes) L::all(T(0)).store(s + i);
  return sum_lanes(sum);
}

template <class T>
void softmax_tile_of(T* s, Index ld, Index rows, Index cols, const Index* visible,
                     const RunningSoftmax<T>& state) {
  constexpr T kNone = -std::numeric_limits<T>::infinity();
  for (Index r = 0; r < rows; ++r, s += ld) {
    const Index n = std::clamp<Index>(visible[r], 0, cols);
    const T before = state.largest[r], largest = std::max(before, padded_max(s, n));
    const T shift = largest == kNone ? T(0) : largest;
    state.largest[r] = largest;
    state.correction[r] = before == kNone     ? T(0)
                          : before == largest ? T(1)
                                              : static_cast<T>(math::exp(before - shift));
    state.sum[r] = state.sum[r] * state.correction[r] + padded_exp(s, n, cols, shift);
  }
}

template <class T>
void exp_tile_of(T* s, Index ld, Index rows, Index cols, const Index* visible, const T* lse) {
  for (Index r = 0; r < rows; ++r, s += ld)
    padded_exp(s, std::clamp<Index>(visible[r], 0, cols), cols, lse[r]);
}

template <class T>
void softmax_backward_tile_of(const T* p, T* dp, Index ld, Index rows, Index cols,
                              const Index* visible, const T* delta) {
  const hn::ScalableTag<T> d;
  for (Index r = 0; r < rows; ++r, p += ld, dp += ld) {
    const auto minus = hn::Set(d, delta[r]);
    for_visible(
        dp, std::clamp<Index>(visible[r], 0, cols), cols,
        [&](Index i) HWY_ATTR {
          hn::StoreU(hn::Mul(hn::LoadU(d, p + i), hn::Sub(hn::LoadU(d, dp + i), minus)), d, dp + i);
        },
        [&](Index i, auto mask) HWY_ATTR {
          hn::StoreU(hn::IfThenElseZero(
                         mask, hn::Mul(hn::LoadU(d, p + i), hn::Sub(hn::LoadU(d, dp + i), minus))),
                     d, dp + i);
        });
  }
}

template <class T>
void scale_diagonals_of(T* s, Index ld, Index rows, Index cols, const Index* visible,
                        const T* diagonal) {
  const hn::ScalableTag<T> d;
  for (Index r = 0; r < rows; ++r, s += ld) {
    const T* factor = diagonal - r;
    const Index n = std::clamp<Index>(visible[r], 0, cols);
    for_visible(
        s, n, cols,
        [&](Index i) HWY_ATTR {
          hn::StoreU(hn::Mul(hn::LoadU(d, s + i), hn::LoadU(d, factor + i)), d, s + i);
        },
        [&](Index i, auto mask) HWY_ATTR {
          const auto tail = load_tail(d, factor + i, static_cast<std::size_t>(n - i), T(0));
          hn::StoreU(hn::IfThenElseZero(mask, hn::Mul(hn::LoadU(d, s + i), tail)), d, s + i);
        });
  }
}

template <class T>
void scale_rows_of(T* x, Index ld, Index rows, Index cols, const T* factor) {
  for (Index r = 0; r < rows; ++r, x += ld) row_affine(x, x, cols, factor[r], T(0));
}

template <class T>
void dot_rows_of(const T* a, Index lda, const T* b, Index ldb, Index rows, Index n, T scale,
                 T* out) {
  for (Index r = 0; r < rows; ++r) out[r] = scale * row_dot(a + r * lda, b + r * ldb, n);
}

template <class T>
void weighted_sum_of(const T* factor, const T* x, Index ld, Index rows, Index n, T* out) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
    for (Index r = 0; r < rows; ++r) {
      const auto f = hn::Set(d, factor[r]);
      const T* row = x + r * ld + i;
      s0 = FusedMulAdd(f, hn::LoadU(d, row), s0);
      s1 = FusedMulAdd(f, hn::LoadU(d, row + lanes), s1);
      s2 = FusedMulAdd(f, hn::LoadU(d, row + 2 * lanes), s2);
      s3 = FusedMulAdd(f, hn::LoadU(d, row + 3 * lanes), s3);
    }
    hn::StoreU(s0, d, out + i);
    hn::StoreU(s1, d, out + i + lanes);
    hn::StoreU(s2, d, out + i + 2 * lanes);
    hn::StoreU(s3, d, out + i + 3 * lanes);
  }
  for (; i < n; i += lanes) {
    const std::size_t rest = static_cast<std::size_t>(n - i);
    const bool whole = i + lanes <= n;
    auto s = hn::Zero(d);
    for (Index r = 0; r < rows; ++r) {
      const T* row = x + r * ld + i;
      s = FusedMulAdd(hn::Set(d, factor[r]),
                      whole ? hn::LoadU(d, row) : load_tail(d, row, rest, T(0)), s);
    }
    if (whole)
      hn::StoreU(s, d, out + i);
    else
      store_tail(d, s, out + i, rest);
  }
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
WEFT_EXPORT(softmax_tile_of);
WEFT_EXPORT(exp_tile_of);
WEFT_EXPORT(softmax_backward_tile_of);
WEFT_EXPORT(scale_diagonals_of);
WEFT_EXPORT(scale_rows_of);
WEFT_EXPORT(dot_rows_of);
WEFT_EXPORT(weighted_sum_of);
using Index = std::int64_t;
}  // namespace

template <class T>
void softmax_tile(T* s, Index ld, Index rows, Index cols, const Index* visible,
                  const RunningSoftmax<T>& state) {
  WEFT_DISPATCH(softmax_tile_of, T)(s, ld, rows, cols, visible, state);
}
template <class T>
void exp_tile(T* s, Index ld, Index rows, Index cols, const Index* visible, const T* lse) {
  WEFT_DISPATCH(exp_tile_of, T)(s, ld, rows, cols, visible, lse);
}
template <class T>
void softmax_backward_tile(const T* p, T* dp, Index ld, Index rows, Index cols,
                           const Index* visible, const T* delta) {
  WEFT_DISPATCH(softmax_backward_tile_of, T)(p, dp, ld, rows, cols, visible, delta);
}
template <class T>
void scale_diagonals(T* s, Index ld, Index rows, Index cols, const Index* visible,
                     const T* diagonal) {
  WEFT_DISPATCH(scale_diagonals_of, T)(s, ld, rows, cols, visible, diagonal);
}
template <class T>
void scale_rows(T* x, Index ld, Index rows, Index cols, const T* factor) {
  WEFT_DISPATCH(scale_rows_of, T)(x, ld, rows, cols, factor);
}
template <class T>
void dot_rows(const T* a, Index lda, const T* b, Index ldb, Index rows, Index n, T scale, T* out) {
  WEFT_DISPATCH(dot_rows_of, T)(a, lda, b, ldb, rows, n, scale, out);
}
template <class T>
void weighted_sum(const T* factor, const T* x, Index ld, Index rows, Index n, T* out) {
  WEFT_DISPATCH(weighted_sum_of, T)(factor, x, ld, rows, n, out);
}

template void softmax_tile(float*, Index, Index, Index, const Index*, const RunningSoftmax<float>&);
template void softmax_tile(double*, Index, Index, Index, const Index*,
                           const RunningSoftmax<double>&);
template void exp_tile(float*, Index, Index, Index, const Index*, const float*);
template void exp_tile(double*, Index, Index, Index, const Index*, const double*);
template void softmax_backward_tile(const float*, float*, Index, Index, Index, const Index*,
                                    const float*);
template void softmax_backward_tile(const double*, double*, Index, Index, Index, const Index*,
                                    const double*);
template void scale_diagonals(float*, Index, Index, Index, const Index*, const float*);
template void scale_diagonals(double*, Index, Index, Index, const Index*, const double*);
template void scale_rows(float*, Index, Index, Index, const float*);
template void scale_rows(double*, Index, Index, Index, const double*);
template void dot_rows(const float*, Index, const float*, Index, Index, Index, float, float*);
template void dot_rows(const double*, Index, const double*, Index, Index, Index, double, double*);
template void weighted_sum(const float*, const float*, Index, Index, Index, float*);
template void weighted_sum(const double*, const double*, Index, Index, Index, double*);

}  // namespace weft::kernels
#endif  // HWY_ONCE
