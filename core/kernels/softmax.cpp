#include "core/kernels/softmax.h"

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/softmax.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

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
    row_affine(x, y, n, T(1), sum == T(0) ? T(0) : -(shift + std::log(sum)));
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
      hn::StoreU(hn::NegMulAdd(exp_of(d, hn::LoadU(d, y + i)), sum, hn::LoadU(d, g + i)), d,
                 dx + i);
    if (i == n) continue;
    const std::size_t rest = static_cast<std::size_t>(n - i);
    store_tail(d,
               hn::NegMulAdd(exp_of(d, load_tail(d, y + i, rest, T(0))), sum,
                             load_tail(d, g + i, rest, T(0))),
               dx + i, rest);
  }
}

void softmax_f32(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  softmax_rows(x, y, rows, n);
}
void softmax_f64(const double* x, double* y, std::int64_t rows, std::int64_t n) {
  softmax_rows(x, y, rows, n);
}
void softmax_backward_f32(const float* y, const float* g, float* dx, std::int64_t rows,
                          std::int64_t n) {
  softmax_backward_rows(y, g, dx, rows, n);
}
void softmax_backward_f64(const double* y, const double* g, double* dx, std::int64_t rows,
                          std::int64_t n) {
  softmax_backward_rows(y, g, dx, rows, n);
}
void log_softmax_f32(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  log_softmax_rows(x, y, rows, n);
}
void log_softmax_f64(const double* x, double* y, std::int64_t rows, std::int64_t n) {
  log_softmax_rows(x, y, rows, n);
}
void log_softmax_backward_f32(const float* y, const float* g, float* dx, std::int64_t rows,
                              std::int64_t n) {
  log_softmax_backward_rows(y, g, dx, rows, n);
}
void log_softmax_backward_f64(const double* y, const double* g, double* dx, std::int64_t rows,
                              std::int64_t n) {
  log_softmax_backward_rows(y, g, dx, rows, n);
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(softmax_f32);
HWY_EXPORT(softmax_f64);
HWY_EXPORT(softmax_backward_f32);
HWY_EXPORT(softmax_backward_f64);
HWY_EXPORT(log_softmax_f32);
HWY_EXPORT(log_softmax_f64);
HWY_EXPORT(log_softmax_backward_f32);
HWY_EXPORT(log_softmax_backward_f64);

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

void softmax(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(softmax_f32), x, y, rows, n);
}
void softmax(const double* x, double* y, std::int64_t rows, std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(softmax_f64), x, y, rows, n);
}
void softmax_backward(const float* y, const float* g, float* dx, std::int64_t rows,
                      std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(softmax_backward_f32), y, g, dx, rows, n);
}
void softmax_backward(const double* y, const double* g, double* dx, std::int64_t rows,
                      std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(softmax_backward_f64), y, g, dx, rows, n);
}
void log_softmax(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_f32), x, y, rows, n);
}
void log_softmax(const double* x, double* y, std::int64_t rows, std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_f64), x, y, rows, n);
}
void log_softmax_backward(const float* y, const float* g, float* dx, std::int64_t rows,
                          std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_backward_f32), y, g, dx, rows, n);
}
void log_softmax_backward(const double* y, const double* g, double* dx, std::int64_t rows,
                          std::int64_t n) {
  by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_backward_f64), y, g, dx, rows, n);
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
