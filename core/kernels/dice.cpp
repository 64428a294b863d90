#include "core/kernels/dice.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/math.h"
#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dice.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

using Index = std::int64_t;
using DiceTag = hn::ScalableTag<float>;
using DiceVec = hn::Vec<DiceTag>;

/// f(first column, load, store) for each vector of columns. The last one begins early where it
/// would be in parts: what it repeats comes out the same. Fewer columns than a vector has are
/// loaded with zeros behind.
template <class F>
HWY_INLINE void each_column_vector(Index channels, F&& f) {
  const DiceTag d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  if (channels == 0) return;
  if (lanes > 1 && channels < lanes) {
    const auto count = static_cast<std::size_t>(channels);
    f(
        Index{0}, [d, count](const float* p) HWY_ATTR { return load_tail(d, p, count, 0.0f); },
        [d, count](DiceVec v, float* p) HWY_ATTR { store_tail(d, v, p, count); });
    return;
  }
  for (Index c = 0; c < channels; c += lanes)
    f(
        std::min(c, channels - lanes), [d](const float* p) HWY_ATTR { return hn::LoadU(d, p); },
        [d](DiceVec v, float* p) HWY_ATTR { hn::StoreU(v, d, p); });
}

void column_sums_f32(const float* x, Index begin, Index end, Index channels, float* sums) {
  each_column_vector(channels, [&](Index c, auto load, auto store) HWY_ATTR {
    auto sum = hn::Zero(DiceTag());
    for (Index r = begin; r < end; ++r) sum = hn::Add(sum, load(x + r * channels + c));
    store(sum, sums + c);
  });
}

void column_squares_f32(const float* x, Index begin, Index end, Index channels, const float* mean,
                        float* sums) {
  each_column_vector(channels, [&](Index c, auto load, auto store) HWY_ATTR {
    const auto center = load(mean + c);
    auto sum = hn::Zero(DiceTag());
    for (Index r = begin; r < end; ++r) {
      const auto v = hn::Sub(load(x + r * channels + c), center);
      sum = FusedMulAdd(v, v, sum);
    }
    store(sum, sums + c);
  });
}

void dice_f32(const float* x, Index begin, Index end, Index channels,
              const DiceColumns<float>& columns, float* out) {
  const DiceTag d;
  each_column_vector(channels, [&](Index c, auto load, auto store) HWY_ATTR {
    const auto mean = load(columns.mean + c), rstd = load(columns.rstd + c),
               alpha = load(columns.alpha + c), rest = hn::Sub(hn::Set(d, 1.0f), alpha);
    for (Index i = begin * channels + c; i < end * channels; i += channels) {
      const auto v = load(x + i), p = Sigmoid(d, hn::Mul(hn::Sub(v, mean), rstd));
      store(hn::Mul(v, FusedMulAdd(p, rest, alpha)), out + i);
    }
  });
}

void dice_sums_f32(const float* x, const float* g, Index begin, Index end, Index channels,
                   const DiceColumns<float>& columns, float* sum_q, float* sum_qh, float* sum_a) {
  const DiceTag d;
  each_column_vector(channels, [&](Index c, auto load, auto store) HWY_ATTR {
    const auto mean = load(columns.mean + c), rstd = load(columns.rstd + c),
               rest = hn::Sub(hn::Set(d, 1.0f), load(columns.alpha + c));
    auto of_q = hn::Zero(d), of_qh = hn::Zero(d), of_a = hn::Zero(d);
    for (Index i = begin * channels + c; i < end * channels; i += channels) {
      const auto v = load(x + i), h = hn::Mul(hn::Sub(v, mean), rstd), p = Sigmoid(d, h);
      const auto below = hn::Mul(hn::Mul(load(g + i), v), hn::Sub(hn::Set(d, 1.0f), p)),
                 q = hn::Mul(hn::Mul(below, p), rest);
      of_q = hn::Add(of_q, q);
      of_qh = FusedMulAdd(q, h, of_qh);
      of_a = hn::Add(of_a, below);
    }
    store(of_q, sum_q + c);
    store(of_qh, sum_qh + c);
    store(of_a, sum_a + c);
  });
}

void dice_gradient_f32(const float* x, const float* g, Index begin, Index end, Index channels,
                       const DiceColumns<float>& columns, const float* mean_q, const float* mean_qh,
                       float* dx) {
  const DiceTag d;
  each_column_vector(channels, [&](Index c, auto load, auto store) HWY_ATTR {
    const auto mean = load(columns.mean + c), rstd = load(columns.rstd + c),
               alpha = load(columns.alpha + c), rest = hn::Sub(hn::Set(d, 1.0f), alpha);
    const auto shift = load(mean_q + c), slope = load(mean_qh + c);
    for (Index i = begin * channels + c; i < end * channels; i += channels) {
      const auto v = load(x + i), h = hn::Mul(hn::Sub(v, mean), rstd), p = Sigmoid(d, h),
                 in = load(g + i), gate = hn::Mul(p, rest);
      const auto q = hn::Mul(hn::Mul(in, v), hn::Mul(gate, hn::Sub(hn::Set(d, 1.0f), p)));
      store(FusedMulAdd(rstd, hn::Sub(hn::Sub(q, shift), hn::Mul(h, slope)),
                        hn::Mul(in, hn::Add(alpha, gate))),
            dx + i);
    }
  });
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(column_sums_f32);
HWY_EXPORT(column_squares_f32);
HWY_EXPORT(dice_f32);
HWY_EXPORT(dice_sums_f32);
HWY_EXPORT(dice_gradient_f32);

using Index = std::int64_t;

constexpr Index kDiceChunk = 16384;  // elements of a chunk

double sigmoid_of(double x) {
  return x < 0 ? math::exp(x) / (1 + math::exp(x)) : 1 / (1 + math::exp(-x));
}

void chunk_sums(const float* x, Index begin, Index end, Index channels, float* sums) {
  HWY_DYNAMIC_DISPATCH(column_sums_f32)(x, begin, end, channels, sums);
}
void chunk_sums(const double* x, Index begin, Index end, Index channels, double* sums) {
  for (Index i = begin * channels; i < end * channels; ++i) sums[i % channels] += x[i];
}
void chunk_squares(const float* x, Index begin, Index end, Index channels, const float* mean,
                   float* sums) {
  HWY_DYNAMIC_DISPATCH(column_squares_f32)(x, begin, end, channels, mean, sums);
}
void chunk_squares(const double* x, Index begin, Index end, Index channels, const double* mean,
                   double* sums) {
  for (Index i = begin * channels; i < end * channels; ++i)
    sums[i % channels] += (x[i] - mean[i % channels]) * (x[i] - mean[i % channels]);
}
void chunk_dice(const float* x, Index begin, Index end, Index channels,
                const DiceColumns<float>& columns, float* out) {
  HWY_DYNAMIC_DISPATCH(dice_f32)(x, begin, end, channels, columns, out);
}
void chunk_dice(const double* x, Index begin, Index end, Index channels,
                const DiceColumns<double>& of, double* out) {
  for (Index i = begin * channels; i < end * channels; ++i) {
    const Index c = i % channels;
    out[i] =
        x[i] * (of.alpha[c] + sigmoid_of((x[i] - of.mean[c]) * of.rstd[c]) * (1 - of.alpha[c]));
  }
}
void chunk_dice_sums(const float* x, const float* g, Index begin, Index end, Index channels,
                     const DiceColumns<float>& columns, float* q, float* qh, float* a) {
  HWY_DYNAMIC_DISPATCH(dice_sums_f32)(x, g, begin, end, channels, columns, q, qh, a);
}
void chunk_dice_sums(const double* x, const double* g, Index begin, Index end, Index channels,
                     const DiceColumns<double>& of, double* sum_q, double* sum_qh, double* sum_a) {
  for (Index i = begin * channels; i < end * channels; ++i) {
    const Index c = i % channels;
    const double h = (x[i] - of.mean[c]) * of.rstd[c], p = sigmoid_of(h),
                 below = g[i] * x[i] * (1 - p), q = below * p * (1 - of.alpha[c]);
    sum_q[c] += q;
    sum_qh[c] += q * h;
    sum_a[c] += below;
  }
}
void chunk_dice_gradient(const float* x, const float* g, Index begin, Index end, Index channels,
                         const DiceColumns<float>& columns, const float* mean_q,
                         const float* mean_qh, float* dx) {
  HWY_DYNAMIC_DISPATCH(dice_gradient_f32)(x, g, begin, end, channels, columns, mean_q, mean_qh, dx);
}
void chunk_dice_gradient(const double* x, const double* g, Index begin, Index end, Index channels,
                         const DiceColumns<double>& of, const double* mean_q, const double* mean_qh,
                         double* dx) {
  for (Index i = begin * channels; i < end * channels; ++i) {
    const Index c = i % channels;
    const double h = (x[i] - of.mean[c]) * of.rstd[c], p = sigmoid_of(h),
                 gate = p * (1 - of.alpha[c]), q = g[i] * x[i] * gate * (1 - p);
    dx[i] = g[i] * (of.alpha[c] + gate) + of.rstd[c] * (q - mean_q[c] - h * mean_qh[c]);
  }
}

Index rows_of_chunk(Index channels) {
  return std::max<Index>(1, kDiceChunk / std::max<Index>(1, channels));
}

/// f(begin, end, chunk) over the rows.
template <class F>
void over_chunks(Index rows, Index channels, const F& f) {
  const Index each = rows_of_chunk(channels);
  parallel_for(chunk_count(rows, each), 1, [&](Index first, Index last) {
    for (Index chunk = first; chunk < last; ++chunk)
      f(chunk * each, std::min(rows, (chunk + 1) * each), chunk);
  });
}

/// Sums of each chunk, `kinds` times (channels,) each, then all of them, in double: totals (kinds
/// channels).
template <class T, class F>
std::vector<double> add_chunks(Index rows, Index channels, Index kinds, const F& f) {
  const Index chunks = chunk_count(rows, rows_of_chunk(channels)), width = kinds * channels;
  std::vector<T> parts(static_cast<std::size_t>(chunks * width), T{0});
  over_chunks(rows, channels, [&](Index begin, Index end, Index chunk) {
    f(begin, end, parts.data() + chunk * width);
  });
  std::vector<double> totals(static_cast<std::size_t>(width), 0);
  for (Index i = 0; i < chunks * width; ++i)
    totals[static_cast<std::size_t>(i % width)] +=
        static_cast<double>(parts[static_cast<std::size_t>(i)]);
  return totals;
}

template <class T>
void put(const double* from, Index n, double factor, T* to) {
  for (Index i = 0; i < n; ++i) to[i] = static_cast<T>(from[i] * factor);
}
}  // namespace

template <class T>
void column_statistics(Index rows, Index channels, const T* x, T* mean, T* variance) {
  const double share = 1.0 / static_cast<double>(rows);
  put(add_chunks<T>(
          rows, channels, 1,
          [&](Index begin, Index end, T* sums) { chunk_sums(x, begin, end, channels, sums); })
          .data(),
      channels, share, mean);
  put(add_chunks<T>(rows, channels, 1,
                    [&](Index begin, Index end, T* sums) {
                      chunk_squares(x, begin, end, channels, mean, sums);
                    })
          .data(),
      channels, share, variance);
}

template <class T>
void dice(Index rows, Index channels, const T* x, const DiceColumns<T>& columns, T* out) {
  over_chunks(rows, channels, [&](Index begin, Index end, Index) {
    chunk_dice(x, begin, end, channels, columns, out);
  });
}

template <class T>
void dice_sums(Index rows, Index channels, const T* x, const T* g, const DiceColumns<T>& columns,
               T* sum_q, T* sum_qh, T* grad_alpha) {
  const std::vector<double> all =
      add_chunks<T>(rows, channels, 3, [&](Index begin, Index end, T* sums) {
        chunk_dice_sums(x, g, begin, end, channels, columns, sums, sums + channels,
                        sums + 2 * channels);
      });
  put(all.data(), channels, 1, sum_q);
  put(all.data() + channels, channels, 1, sum_qh);
  put(all.data() + 2 * channels, channels, 1, grad_alpha);
}

template <class T>
void dice_gradient(Index rows, Index channels, const T* x, const T* g,
                   const DiceColumns<T>& columns, const T* mean_q, const T* mean_qh, T* dx) {
  over_chunks(rows, channels, [&](Index begin, Index end, Index) {
    chunk_dice_gradient(x, g, begin, end, channels, columns, mean_q, mean_qh, dx);
  });
}

template void column_statistics(Index, Index, const float*, float*, float*);
template void column_statistics(Index, Index, const double*, double*, double*);
template void dice(Index, Index, const float*, const DiceColumns<float>&, float*);
template void dice(Index, Index, const double*, const DiceColumns<double>&, double*);
template void dice_sums(Index, Index, const float*, const float*, const DiceColumns<float>&, float*,
                        float*, float*);
template void dice_sums(Index, Index, const double*, const double*, const DiceColumns<double>&,
                        double*, double*, double*);
template void dice_gradient(Index, Index, const float*, const float*, const DiceColumns<float>&,
                            const float*, const float*, float*);
template void dice_gradient(Index, Index, const double*, const double*, const DiceColumns<double>&,
                            const double*, const double*, double*);

}  // namespace weft::kernels
#endif  // HWY_ONCE
