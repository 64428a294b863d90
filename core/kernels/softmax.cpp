#include "core/kernels/softmax.h"

#include "core/math.h"
#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/softmax.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/dispatch.h"
#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

/// Shift that keeps e^(x - shift) finite; 0 for a row of -inf, whose exponentials are then 0 and
/// not NaN.
template <class T>
HWY_INLINE T finite_shift(const T* x, std::int64_t n) {
  const T largest = row_max(x, n);
  return largest == -std::numeric_limits<T>::infinity() ? T(0) : largest;
}

template <class T>
void softmax_rows(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const T sum = row_exp_sum(x, y, n, finite_shift(x, n));
    row_affine(y, y, n, sum == T(0) ? T(0) : T(1) / sum, T(0));
  }
}

template <class T>
void softmax_backward_rows(const T* y, const T* g, T* dx, std::int64_t rows, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < rows; ++r, y += n, g += n, dx += n) {
    const auto dot = hn::Set(d, row_dot(y, g, n));
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
      hn::StoreU(hn::Mul(hn::LoadU(d, y + i), hn::Sub(hn::LoadU(d, g + i), dot)), d, dx + i);
    if (i == n) continue;
    const std::size_t rest = static_cast<std::size_t>(n - i);
    store_tail(
        d, hn::Mul(load_tail(d, y + i, rest, T(0)), hn::Sub(load_tail(d, g + i, rest, T(0)), dot)),
        dx + i, rest);
  }
}

template <class T>
void log_softmax_rows(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const T shift = finite_shift(x, n);
    const T sum = row_sum_exp(x, n, shift);
    row_affine(x, y, n, T(1), sum == T(0) ? T(0) : -(shift + static_cast<T>(math::log(sum))));
  }
}

template <class T>
void log_softmax_backward_rows(const T* y, const T* g, T* dx, std::int64_t rows, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < rows; ++r, y += n, g += n, dx += n) {
    const auto sum = hn::Set(d, row_sum(g, n));
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
      hn::StoreU(FusedNegMulAdd(exp_of(d, hn::LoadU(d, y + i)), sum, hn::LoadU(d, g + i)), d,
                 dx + i);
    if (i == n) continue;
    const std::size_t rest = static_cast<std::size_t>(n - i);
    store_tail(d,
               FusedNegMulAdd(exp_of(d, load_tail(d, y + i, rest, T(0))), sum,
                              load_tail(d, g + i, rest, T(0))),
               dx + i, rest);
  }
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
WEFT_EXPORT(softmax_rows);
WEFT_EXPORT(softmax_backward_rows);
WEFT_EXPORT(log_softmax_rows);
WEFT_EXPORT(log_softmax_backward_rows);

template <class T, class Function>
void by_rows(Function function, const T* x, T* y, std::int64_t rows, std::int64_t n) {
  if (n == 0) return;
  parallel_for(rows, rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
    function(x + begin * n, y + begin * n, end - begin, n);
  });
}

template <class T, class Function>
void by_rows(Function function, const T* y, const T* g, T* dx, std::int64_t rows, std::int64_t n) {
  if (n == 0) return;
  parallel_for(rows, rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
    function(y + begin * n, g + begin * n, dx + begin * n, end - begin, n);
  });
}
}  // namespace

template <class T>
void softmax(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  by_rows(WEFT_DISPATCH(softmax_rows, T), x, y, rows, n);
}
template <class T>
void softmax_backward(const T* y, const T* g, T* dx, std::int64_t rows, std::int64_t n) {
  by_rows(WEFT_DISPATCH(softmax_backward_rows, T), y, g, dx, rows, n);
}
template <class T>
void log_softmax(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  by_rows(WEFT_DISPATCH(log_softmax_rows, T), x, y, rows, n);
}
template <class T>
void log_softmax_backward(const T* y, const T* g, T* dx, std::int64_t rows, std::int64_t n) {
  by_rows(WEFT_DISPATCH(log_softmax_backward_rows, T), y, g, dx, rows, n);
}

template void softmax(const float*, float*, std::int64_t, std::int64_t);
template void softmax(const double*, double*, std::int64_t, std::int64_t);
template void softmax_backward(const float*, const float*, float*, std::int64_t, std::int64_t);
template void softmax_backward(const double*, const double*, double*, std::int64_t, std::int64_t);
template void log_softmax(const float*, float*, std::int64_t, std::int64_t);
template void log_softmax(const double*, double*, std::int64_t, std::int64_t);
template void log_softmax_backward(const float*, const float*, float*, std::int64_t, std::int64_t);
template void log_softmax_backward(const double*, const double*, double*, std::int64_t,
                                   std::int64_t);

}  // namespace weft::kernels
#endif  // HWY_ONCE
