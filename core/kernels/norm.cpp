#include "core/kernels/norm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/kernels/softmax.h"
#include "core/parallel.h"
#include "core/tensor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/norm.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/dispatch.h"
#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

/// sum of (x - mean)^2: two passes, because a difference of large sums loses what a small variance
/// is made of.
template <class T>
HWY_INLINE T sum_of_squares(const T* HWY_RESTRICT x, std::int64_t n, T mean) {
  using L = Lanes<T>;
  const L m = L::all(mean);
  L s0 = L::all(T(0)), s1 = s0;
  const auto onto = [&](const L& v, const L& sum) HWY_ATTR {
    const L a = each([](auto u, auto w) HWY_ATTR { return hn::Sub(u, w); }, v, m);
    return mul_add(a, a, sum);
  };
  std::int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    s0 = onto(L::load(x + i), s0);
    s1 = onto(L::load(x + i + kLanes), s1);
  }
  for (; i + kLanes <= n; i += kLanes) s0 = onto(L::load(x + i), s0);
  if (i < n) s1 = onto(L::load_tail(x + i, n - i, mean), s1);
  return sum_lanes(add(s0, s1));
}

template <class T>
HWY_INLINE hn::Vec<hn::ScalableTag<T>> load_or(const T* p, std::int64_t i, std::int64_t n,
                                               T otherwise) {
  const hn::ScalableTag<T> d;
  if (!p) return hn::Set(d, otherwise);
  return i + static_cast<std::int64_t>(hn::Lanes(d)) <= n
             ? hn::LoadU(d, p + i)
             : load_tail(d, p + i, static_cast<std::size_t>(n - i), T(0));
}

template <class T>
HWY_INLINE void store_up_to(hn::Vec<hn::ScalableTag<T>> v, T* p, std::int64_t i, std::int64_t n) {
  const hn::ScalableTag<T> d;
  if (i + static_cast<std::int64_t>(hn::Lanes(d)) <= n)
    hn::StoreU(v, d, p + i);
  else
    store_tail(d, v, p + i, static_cast<std::size_t>(n - i));
}

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

/// Whether T holds a row's statistics well enough: the variance (or mean square), and the mean in
/// terms of the deviation. A row that is its mean throughout is exact, however far from 0.
template <class T>
HWY_INLINE bool can_trust(T mean, T squares, T variance, T rstd) {
  constexpr T kLargestMean = 512;  // deviations: what T loses of it is then below 1e-4 of one
  constexpr T kSmallest = std::is_same_v<T, float> ? T(1e-30) : T(1e-290),
              kLargest = std::numeric_limits<T>::max();
  return variance >= kSmallest && variance <= kLargest &&
         (squares == 0 || std::abs(mean) * rstd <= kLargestMean);
}

template <class T>
struct WideRow {
  Wide<T> mean = 0, rstd = 0;

  WideRow(const NormArgs<T>& args, const T* x) {
    const auto n = static_cast<Wide<T>>(args.n);
    if (args.kind == Norm::layer)
      for (std::int64_t i = 0; i < args.n; ++i) mean += static_cast<Wide<T>>(x[i]);
    mean /= n;
    Wide<T> squares = 0;
    for (std::int64_t i = 0; i < args.n; ++i)
      squares += (static_cast<Wide<T>>(x[i]) - mean) * (static_cast<Wide<T>>(x[i]) - mean);
    rstd = 1 / std::sqrt(squares / n + static_cast<Wide<T>>(args.eps));
  }
  Wide<T> normalized(T x) const { return (static_cast<Wide<T>>(x) - mean) * rstd; }
};

/// One row of forward_rows.
template <class T>
HWY_NOINLINE void forward_wide(const NormArgs<T>& args, std::int64_t r, T* out) {
  const T* x = args.x + r * args.n;
  const WideRow<T> row(args, x);
  if (args.mean) args.mean[r] = static_cast<T>(row.mean);
  if (args.rstd) args.rstd[r] = std::copysign(static_cast<T>(row.rstd), T(-1));
  for (std::int64_t i = 0; i < args.n; ++i) {
    const Wide<T> weight = args.weight ? args.weight[i] : T(1),
                  bias = args.bias ? args.bias[i] : T(0);
    out[i] = static_cast<T>(row.normalized(x[i]) * weight + bias);
  }
}

/// One row of backward_rows.
template <class T>
HWY_NOINLINE void backward_wide(const NormArgs<T>& args, std::int64_t r, const T* g, T* dx,
                                T* dweight, T* dbias) {
  const T* x = args.x + r * args.n;
  const WideRow<T> row(args, x);
  const auto u = [&](std::int64_t i) {
    return static_cast<Wide<T>>(g[i]) * (args.weight ? args.weight[i] : T(1));
  };
  Wide<T> mean_u = 0, mean_uh = 0;
  for (std::int64_t i = 0; i < args.n; ++i) {
    const Wide<T> h = row.normalized(x[i]);
    mean_u += u(i);
    mean_uh += u(i) * h;
    if (dweight) dweight[i] = static_cast<T>(dweight[i] + g[i] * h);
    if (dbias) dbias[i] += g[i];
  }
  if (!dx) return;
  mean_u = args.kind == Norm::layer ? mean_u / static_cast<Wide<T>>(args.n) : 0;
  mean_uh /= static_cast<Wide<T>>(args.n);
  for (std::int64_t i = 0; i < args.n; ++i)
    dx[i] = static_cast<T>(row.rstd * (u(i) - mean_u - row.normalized(x[i]) * mean_uh));
}

template <class T>
void forward_rows(const NormArgs<T>& args, T* y, std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  const std::int64_t n = args.n, lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T inverse_n = T(1) / static_cast<T>(n);
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = args.x + r * n;
    T* out = y + r * n;
    const T mean = args.kind == Norm::layer ? row_sum(x, n) * inverse_n : T(0);
    const T squares = sum_of_squares(x, n, mean), variance = squares * inverse_n + args.eps;
    const T rstd = T(1) / std::sqrt(variance);
    if (!can_trust(mean, squares, variance, rstd)) {
      forward_wide(args, r, out);
      continue;
    }
    if (args.mean) args.mean[r] = mean;
    if (args.rstd) args.rstd[r] = rstd;
    const auto scale = hn::Set(d, rstd), center = hn::Set(d, mean);
    for (std::int64_t i = 0; i < n; i += lanes) {
      const auto h = hn::Mul(hn::Sub(load_or(x, i, n, T(0)), center), scale);
      store_up_to(FusedMulAdd(h, load_or(args.weight, i, n, T(1)), load_or(args.bias, i, n, T(0))),
                  out, i, n);
    }
  }
}

/// Rows [begin, end) of dx, and their share of dweight and dbias added to the given partial sums.
template <class T>
void backward_rows(const NormArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias,
                   std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  const std::int64_t n = args.n, lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T inverse_n = T(1) / static_cast<T>(n);
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = args.x + r * n;
    const T* gr = g + r * n;
    if (std::signbit(args.rstd[r])) {
      backward_wide(args, r, gr, dx ? dx + r * n : nullptr, dweight, dbias);
      continue;
    }
    const auto scale = hn::Set(d, args.rstd[r]),
               center = hn::Set(d, args.kind == Norm::layer ? args.mean[r] : T(0));
    // Sums of sixteen lanes; a vector's lanes at i belong to those from i modulo sixteen on.
    Lanes<T> sum_u = Lanes<T>::all(T(0)), sum_uh = sum_u;
    const auto vector = [&](std::int64_t i, std::int64_t part) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(load_or(x, i, n, T(0)), center), scale);
      const auto gi = load_or(gr, i, n, T(0));
      const auto u = hn::Mul(gi, load_or(args.weight, i, n, T(1)));  // 0 beyond the tail, as g is
      sum_u.part[part] = hn::Add(sum_u.part[part], u);
      sum_uh.part[part] = FusedMulAdd(u, h, sum_uh.part[part]);
      if (dweight)
        store_up_to(FusedMulAdd(gi, h, load_or(static_cast<const T*>(dweight), i, n, T(0))),
                    dweight, i, n);
      if (dbias)
        store_up_to(hn::Add(gi, load_or(static_cast<const T*>(dbias), i, n, T(0))), dbias, i, n);
    };
    for (std::int64_t i = 0; i < n; i += kLanes) {
#pragma GCC unroll 16
      for (std::int64_t part = 0; part < kVectors<T>; ++part)
        if (i + part * lanes < n) vector(i + part * lanes, part);
    }
    if (!dx) continue;
    const auto mean_u = hn::Set(d, args.kind == Norm::layer ? sum_lanes(sum_u) * inverse_n : T(0));
    const auto mean_uh = hn::Set(d, sum_lanes(sum_uh) * inverse_n);
    for (std::int64_t i = 0; i < n; i += lanes) {
      const auto h = hn::Mul(hn::Sub(load_or(x, i, n, T(0)), center), scale);
      const auto u = hn::Mul(load_or(gr, i, n, T(0)), load_or(args.weight, i, n, T(1)));
      store_up_to(hn::Mul(scale, FusedNegMulAdd(h, mean_uh, hn::Sub(u, mean_u))), dx + r * n, i, n);
    }
  }
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
WEFT_EXPORT(forward_rows);
WEFT_EXPORT(backward_rows);

template <class T, class Function>
void forward(Function function, const NormArgs<T>& args, T* y) {
  if (args.n == 0) return;
  parallel_for(args.rows, rows_per_chunk(args.n),
               [&](std::int64_t begin, std::int64_t end) { function(args, y, begin, end); });
}

template <class T, class Function>
void backward(Function function, const NormArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias) {
  const std::int64_t n = args.n;
  if (n == 0) return;
  // At most 64 partial sums, so that combining them stays cheap however many rows there are.
  const std::int64_t grain = std::max(rows_per_chunk(n), chunk_count(args.rows, 64));
  const std::int64_t chunks = chunk_count(args.rows, grain);
  const bool sums = dweight || dbias;
  const Tensor partial = sums ? Tensor::zeros({chunks, 2, n}, dtype_of<T>()) : Tensor();
  parallel_for(args.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    T* mine = sums ? partial.data<T>() + begin / grain * 2 * n : nullptr;
    function(args, g, dx, dweight ? mine : nullptr, dbias ? mine + n : nullptr, begin, end);
  });
  for (int which = 0; which < 2; ++which) {
    T* target = which == 0 ? dweight : dbias;
    if (!target) continue;
    std::fill_n(target, n, T(0));
    for (std::int64_t c = 0; c < chunks; ++c) {
      const T* mine = partial.data<T>() + (2 * c + which) * n;
      for (std::int64_t i = 0; i < n; ++i) target[i] += mine[i];
    }
  }
}
}  // namespace

template <class T>
void norm_forward(const NormArgs<T>& args, T* y) {
  forward(WEFT_DISPATCH(forward_rows, T), args, y);
}
template <class T>
void norm_backward(const NormArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias) {
  backward(WEFT_DISPATCH(backward_rows, T), args, g, dx, dweight, dbias);
}

template void norm_forward(const NormArgs<float>&, float*);
template void norm_forward(const NormArgs<double>&, double*);
template void norm_backward(const NormArgs<float>&, const float*, float*, float*, float*);
template void norm_backward(const NormArgs<double>&, const double*, double*, double*, double*);

}  // namespace weft::kernels
#endif  // HWY_ONCE
