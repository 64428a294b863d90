#include "core/kernels/cross_entropy.h"

#include <algorithm>

#include "core/kernels/softmax.h"
#include "core/math.h"
#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/cross_entropy.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/dispatch.h"
#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

template <class T>
void forward_rows(const CrossEntropyArgs<T>& args, T* loss, T* lse, std::int64_t begin,
                  std::int64_t end) {
  const std::int64_t n = args.n;
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = args.logits + r * n;
    const std::int64_t target = args.targets[r];
    if (target == args.ignore_index) {
      loss[r] = lse[r] = T(0);
      continue;
    }
    const T largest = row_max(x, n);
    const T log_sum = largest + static_cast<T>(math::log(row_sum_exp(x, n, largest)));
    lse[r] = log_sum;
    const T weight = args.weights ? args.weights[target] : T(1);
    T value = (T(1) - args.smoothing) * weight * (log_sum - x[target]);
    if (args.smoothing != T(0)) {
      const T weighted = args.weights ? row_dot(args.weights, x, n) : row_sum(x, n);
      value += args.smoothing / static_cast<T>(n) * (log_sum * args.weight_sum - weighted);
    }
    loss[r] = value;
  }
}

/// d loss / d x_c = p_c ((1 - s) w_t + s W / n) - [c = t] (1 - s) w_t - s w_c / n, with s the
/// smoothing and W the sum of weights.
template <class T>
void backward_rows(const CrossEntropyArgs<T>& args, const T* lse, const T* scale, T* dx,
                   std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  const std::int64_t n = args.n, lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T spread = args.smoothing / static_cast<T>(n);
  for (std::int64_t r = begin; r < end; ++r) {
    T* out = dx + r * n;
    const std::int64_t target = args.targets[r];
    if (target == args.ignore_index || scale[r] == T(0)) {
      std::fill_n(out, n, T(0));
      continue;
    }
    const T* x = args.logits + r * n;
    const T hit = scale[r] * (T(1) - args.smoothing) * (args.weights ? args.weights[target] : T(1));
    const auto of_p = hn::Set(d, hit + scale[r] * spread * args.weight_sum),
               minus_lse = hn::Set(d, -lse[r]), each = hn::Set(d, -scale[r] * spread);
    for (std::int64_t i = 0; i < n; i += lanes) {
      const std::size_t rest = static_cast<std::size_t>(n - i);
      const bool whole = i + lanes <= n;
      const auto xi = whole ? hn::LoadU(d, x + i) : load_tail(d, x + i, rest, T(0));
      auto base = each;
      if (args.weights)
        base = hn::Mul(each, whole ? hn::LoadU(d, args.weights + i)
                                   : load_tail(d, args.weights + i, rest, T(0)));
      const auto value = FusedMulAdd(exp_of(d, hn::Add(xi, minus_lse)), of_p, base);
      if (whole)
        hn::StoreU(value, d, out + i);
      else
        store_tail(d, value, out + i, rest);
    }
    out[target] -= hit;
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
void forward(Function function, const CrossEntropyArgs<T>& args, T* loss, T* lse) {
  parallel_for(args.rows, rows_per_chunk(args.n), [&](std::int64_t begin, std::int64_t end) {
    function(args, loss, lse, begin, end);
  });
}
template <class T, class Function>
void backward(Function function, const CrossEntropyArgs<T>& args, const T* lse, const T* scale,
              T* dx) {
  parallel_for(args.rows, rows_per_chunk(args.n), [&](std::int64_t begin, std::int64_t end) {
    function(args, lse, scale, dx, begin, end);
  });
}
}  // namespace

template <class T>
void cross_entropy_forward(const CrossEntropyArgs<T>& args, T* loss, T* lse) {
  forward(WEFT_DISPATCH(forward_rows, T), args, loss, lse);
}
template <class T>
void cross_entropy_backward(const CrossEntropyArgs<T>& args, const T* lse, const T* scale, T* dx) {
  backward(WEFT_DISPATCH(backward_rows, T), args, lse, scale, dx);
}

template void cross_entropy_forward(const CrossEntropyArgs<float>&, float*, float*);
template void cross_entropy_forward(const CrossEntropyArgs<double>&, double*, double*);
template void cross_entropy_backward(const CrossEntropyArgs<float>&, const float*, const float*,
                                     float*);
template void cross_entropy_backward(const CrossEntropyArgs<double>&, const double*, const double*,
                                     double*);

}  // namespace weft::kernels
#endif  // HWY_ONCE
