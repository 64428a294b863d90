#include "core/kernels/batch_norm.h"

#include <algorithm>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/batch_norm.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/dispatch.h"
#include "core/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

/// f(vector of the plane at i, index i, whether it is whole): the last one's missing lanes are
/// `fill`.
template <class T, class F>
HWY_INLINE void each_vector(std::int64_t n, const T* x, T fill, F&& f) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(hn::LoadU(d, x + i), i, lanes);
  if (i < n) f(load_tail(d, x + i, static_cast<std::size_t>(n - i), fill), i, n - i);
}

/// The same for sums of sixteen lanes: f(lanes at i, i, how many of them there are).
template <class T, class F>
HWY_INLINE void each_lanes(std::int64_t n, const T* x, T fill, F&& f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(Lanes<T>::load(x + i), i, kLanes);
  if (i < n) f(Lanes<T>::load_tail(x + i, n - i, fill), i, n - i);
}

template <class T>
void statistics(const Planes& p, const T* x, T* mean, T* variance, std::int64_t begin,
                std::int64_t end) {
  const hn::ScalableTag<T> d;
  const T size = static_cast<T>(p.pixels);
  for (std::int64_t c = begin; c < end; ++c) {
    double center = 0, squares = 0, count = 0;
    for (std::int64_t b = 0; b < p.batch; ++b) {
      const T* const plane = x + (b * p.channels + c) * p.pixels;
      Lanes<T> sum = Lanes<T>::all(T(0)), square = sum;
      each_lanes(p.pixels, plane, T(0),
                 [&](const Lanes<T>& v, std::int64_t, std::int64_t)
                     HWY_ATTR { sum = add(sum, v); });
      const T own = sum_lanes(sum) / size;
      const auto m = hn::Set(d, own);
      each_lanes(p.pixels, plane, own, [&](const Lanes<T>& v, std::int64_t, std::int64_t) HWY_ATTR {
        const auto a = each([&](auto u) HWY_ATTR { return hn::Sub(u, m); }, v);
        square = mul_add(a, a, square);
      });
      // Joining (n, mean, M2) of what came before with this plane's.
      const double more = static_cast<double>(size), total = count + more,
                   delta = static_cast<double>(own) - center;
      center += delta * more / total;
      squares += static_cast<double>(sum_lanes(square)) + delta * delta * count * more / total;
      count = total;
    }
    mean[c] = static_cast<T>(center);
    variance[c] = static_cast<T>(squares / count);
  }
}

template <class T>
void apply(const Planes& p, const T* x, const T* mean, const T* scale, const T* shift, T* y,
           std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t plane = begin; plane < end; ++plane) {
    const auto center = hn::Set(d, mean[plane % p.channels]),
               factor = hn::Set(d, scale[plane % p.channels]),
               offset = hn::Set(d, shift[plane % p.channels]);
    T* const out = y + plane * p.pixels;
    each_vector(p.pixels, x + plane * p.pixels, T(0),
                [&](auto v, std::int64_t i, std::int64_t count) HWY_ATTR {
                  const auto result = FusedMulAdd(hn::Sub(v, center), factor, offset);
                  if (count == lanes)
                    hn::StoreU(result, d, out + i);
                  else
                    store_tail(d, result, out + i, static_cast<std::size_t>(count));
                });
  }
}

template <class T>
void sums(const Planes& p, const T* x, const T* g, const T* mean, T* sum_g, T* sum_gx,
          std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  for (std::int64_t c = begin; c < end; ++c) {
    const auto center = hn::Set(d, mean[c]);
    double all_g = 0, all_gx = 0;
    for (std::int64_t b = 0; b < p.batch; ++b) {
      const std::int64_t at = (b * p.channels + c) * p.pixels;
      Lanes<T> of_g = Lanes<T>::all(T(0)), of_gx = of_g;
      each_lanes(p.pixels, x + at, T(0),
                 [&](const Lanes<T>& v, std::int64_t i, std::int64_t count) HWY_ATTR {
                   const T* const from = g + at + i;
                   const auto gradient = count == kLanes ? Lanes<T>::load(from)
                                                         : Lanes<T>::load_tail(from, count, T(0));
                   of_g = add(of_g, gradient);
                   const auto a = each([&](auto u) HWY_ATTR { return hn::Sub(u, center); }, v);
                   of_gx = mul_add(gradient, a, of_gx);
                 });
      all_g += static_cast<double>(sum_lanes(of_g));
      all_gx += static_cast<double>(sum_lanes(of_gx));
    }
    sum_g[c] = static_cast<T>(all_g);
    sum_gx[c] = static_cast<T>(all_gx);
  }
}

template <class T>
void gradient(const Planes& p, const T* x, const T* g, const T* mean, const T* of_g, const T* of_x,
              const T* shift, T* dx, std::int64_t begin, std::int64_t end) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t plane = begin; plane < end; ++plane) {
    const std::int64_t c = plane % p.channels, at = plane * p.pixels;
    const auto center = hn::Set(d, mean[c]), times_g = hn::Set(d, of_g[c]),
               times_x = hn::Set(d, of_x[c]), offset = hn::Set(d, shift[c]);
    each_vector(p.pixels, x + at, T(0), [&](auto v, std::int64_t i, std::int64_t count) HWY_ATTR {
      const auto in = count == lanes
                          ? hn::LoadU(d, g + at + i)
                          : load_tail(d, g + at + i, static_cast<std::size_t>(count), T(0));
      const auto result =
          FusedMulAdd(in, times_g, FusedMulAdd(hn::Sub(v, center), times_x, offset));
      if (count == lanes)
        hn::StoreU(result, d, dx + at + i);
      else
        store_tail(d, result, dx + at + i, static_cast<std::size_t>(count));
    });
  }
}

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
WEFT_EXPORT(statistics);
WEFT_EXPORT(apply);
WEFT_EXPORT(sums);
WEFT_EXPORT(gradient);

constexpr std::int64_t kPlaneGrain = 32768;  // elements worth a task

/// f(begin, end) over channels, each of which is batch planes.
template <class F>
void over_channels(const Planes& p, F&& f) {
  parallel_for(
      p.channels,
      std::max<std::int64_t>(1, kPlaneGrain / std::max<std::int64_t>(1, p.batch * p.pixels)), f);
}

/// f(begin, end) over planes.
template <class F>
void over_planes(const Planes& p, F&& f) {
  parallel_for(p.batch * p.channels,
               std::max<std::int64_t>(1, kPlaneGrain / std::max<std::int64_t>(1, p.pixels)), f);
}
}  // namespace

template <class T>
void batch_norm_statistics(const Planes& p, const T* x, T* mean, T* variance) {
  over_channels(p, [&](std::int64_t begin, std::int64_t end) {
    WEFT_DISPATCH(statistics, T)(p, x, mean, variance, begin, end);
  });
}
template <class T>
void batch_norm_apply(const Planes& p, const T* x, const T* mean, const T* scale, const T* shift,
                      T* y) {
  over_planes(p, [&](std::int64_t begin, std::int64_t end) {
    WEFT_DISPATCH(apply, T)(p, x, mean, scale, shift, y, begin, end);
  });
}
template <class T>
void batch_norm_sums(const Planes& p, const T* x, const T* g, const T* mean, T* sum_g, T* sum_gx) {
  over_channels(p, [&](std::int64_t begin, std::int64_t end) {
    WEFT_DISPATCH(sums, T)(p, x, g, mean, sum_g, sum_gx, begin, end);
  });
}
template <class T>
void batch_norm_gradient(const Planes& p, const T* x, const T* g, const T* mean, const T* of_g,
                         const T* of_x, const T* shift, T* dx) {
  over_planes(p, [&](std::int64_t begin, std::int64_t end) {
    WEFT_DISPATCH(gradient, T)(p, x, g, mean, of_g, of_x, shift, dx, begin, end);
  });
}

template void batch_norm_statistics(const Planes&, const float*, float*, float*);
template void batch_norm_statistics(const Planes&, const double*, double*, double*);
template void batch_norm_apply(const Planes&, const float*, const float*, const float*,
                               const float*, float*);
template void batch_norm_apply(const Planes&, const double*, const double*, const double*,
                               const double*, double*);
template void batch_norm_sums(const Planes&, const float*, const float*, const float*, float*,
                              float*);
template void batch_norm_sums(const Planes&, const double*, const double*, const double*, double*,
                              double*);
template void batch_norm_gradient(const Planes&, const float*, const float*, const float*,
                                  const float*, const float*, const float*, float*);
template void batch_norm_gradient(const Planes&, const double*, const double*, const double*,
                                  const double*, const double*, const double*, double*);

}  // namespace weft::kernels
#endif  // HWY_ONCE
