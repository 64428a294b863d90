#include "core/kernels/rope.h"

#include <algorithm>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/rope.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/fused-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void RopeRow(const float* HWY_RESTRICT x, const float* HWY_RESTRICT c, const float* HWY_RESTRICT s,
             float sign, float* HWY_RESTRICT out, std::int64_t half) {
  const auto rotate = [half](auto d, const float* HWY_RESTRICT a, const float* HWY_RESTRICT cosine,
                             const float* HWY_RESTRICT sine, float direction,
                             float* HWY_RESTRICT to) HWY_ATTR {
    const auto first = hn::LoadU(d, a), second = hn::LoadU(d, a + half);
    const auto cos = hn::LoadU(d, cosine), sin = hn::Mul(hn::Set(d, direction), hn::LoadU(d, sine));
    hn::StoreU(FusedNegMulAdd(second, sin, hn::Mul(first, cos)), d, to);
    hn::StoreU(FusedMulAdd(first, sin, hn::Mul(second, cos)), d, to + half);
  };
  const hn::ScalableTag<float> wide;
  const hn::CappedTag<float, 4> narrow;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide)),
             few = static_cast<std::int64_t>(hn::Lanes(narrow));
  std::int64_t i = 0;
  for (; i + lanes <= half; i += lanes) rotate(wide, x + i, c + i, s + i, sign, out + i);
  for (; i + few <= half; i += few) rotate(narrow, x + i, c + i, s + i, sign, out + i);
  for (; i < half; ++i) rotate(one, x + i, c + i, s + i, sign, out + i);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(RopeRow);

void rope_row(const double* x, const double* c, const double* s, double sign, double* out,
              std::int64_t half) {
  for (std::int64_t i = 0; i < half; ++i) {
    out[i] = x[i] * c[i] - sign * x[half + i] * s[i];
    out[half + i] = x[half + i] * c[i] + sign * x[i] * s[i];
  }
}

void rope_row(const float* x, const float* c, const float* s, float sign, float* out,
              std::int64_t half) {
  HWY_DYNAMIC_DISPATCH(RopeRow)(x, c, s, sign, out, half);
}

template <class T>
void run(const Shape& shape, const Shape& strides, const T* x, const T* cosines, const T* sines,
         T sign, T* out) {
  const std::int64_t size = shape.back(), half = size / 2, positions = shape[shape.rank() - 2];
  const std::int64_t rows = size == 0 ? 0 : shape.numel() / size;
  parallel_for(rows, std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(size, 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   std::int64_t offset = 0;
                   for (std::int64_t i = shape.rank() - 2, rest = row; i >= 0; --i) {
                     const int dim = static_cast<int>(i);
                     offset += rest % shape[dim] * strides[dim];
                     rest /= shape[dim];
                   }
                   const std::int64_t t = row % positions;
                   rope_row(x + offset, cosines + t * half, sines + t * half, sign,
                            out + row * size, half);
                 }
               });
}

}  // namespace

template <class T>
void rope(const Shape& shape, const Shape& strides, const T* x, const T* cosines, const T* sines,
          T sign, T* out) {
  run(shape, strides, x, cosines, sines, sign, out);
}

template void rope(const Shape&, const Shape&, const float*, const float*, const float*, float,
                   float*);
template void rope(const Shape&, const Shape&, const double*, const double*, const double*, double,
                   double*);

}  // namespace weft::kernels
#endif
