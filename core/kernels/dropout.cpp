#include "core/kernels/dropout.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dropout.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/simd-inl.h"
#include "core/parallel.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

void ApplyMaskRun(const std::uint8_t* mask, float scale, const float* g, std::int64_t n,
                  float* dx) {
  const FloatTag d;
  const hn::Rebind<std::uint8_t, FloatTag> d8;
  const hn::RebindToSigned<FloatTag> d32;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, scale);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto keep =
        hn::RebindMask(d, hn::Gt(hn::PromoteTo(d32, hn::LoadU(d8, mask + i)), hn::Zero(d32)));
    hn::StoreU(hn::IfThenElseZero(keep, hn::Mul(hn::LoadU(d, g + i), factor)), d, dx + i);
  }
  for (; i < n; ++i) dx[i] = mask[i] != 0 ? g[i] * scale : 0.0f;
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(ApplyMaskRun);

constexpr std::int64_t kGrain = 16384;  // a multiple of kPiece
constexpr std::int64_t kPiece = 512;    // elements whose words are made at a time

void run_mask(const std::uint8_t* mask, double scale, const float* g, std::int64_t n, float* dx) {
  HWY_DYNAMIC_DISPATCH(ApplyMaskRun)(mask, static_cast<float>(scale), g, n, dx);
}

void run_mask(const std::uint8_t* mask, double scale, const double* g, std::int64_t n, double* dx) {
  for (std::int64_t i = 0; i < n; ++i) dx[i] = mask[i] != 0 ? g[i] * scale : 0.0;
}

template <class T>
void dropout_any(const Generator& generator, std::uint64_t first, double p, const T* x,
                 std::int64_t n, T* out, std::uint8_t* mask) {
  const auto threshold = static_cast<std::uint32_t>(p * 0x1p32);  // p < 1, so that it fits
  const double scale = 1 / (1 - p);
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::uint32_t words[kPiece];
    std::uint8_t own_mask[kPiece];
    for (std::int64_t start = begin; start < end; start += kPiece) {
      const std::int64_t count = std::min(kPiece, end - start);
      generator.blocks(first + static_cast<std::uint64_t>(start / 4), dropout_blocks(count), words);
      std::uint8_t* keep = mask ? mask + start : own_mask;
      for (std::int64_t i = 0; i < count; ++i) keep[i] = words[i] >= threshold;
      run_mask(keep, scale, x + start, count, out + start);
    }
  });
}

template <class T>
void apply_any(const std::uint8_t* mask, double scale, const T* g, std::int64_t n, T* dx) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    run_mask(mask + begin, scale, g + begin, end - begin, dx + begin);
  });
}

}  // namespace

template <class T>
void dropout(const Generator& generator, std::uint64_t first, double p, const T* x, std::int64_t n,
             T* out, std::uint8_t* mask) {
  dropout_any(generator, first, p, x, n, out, mask);
}
template <class T>
void apply_mask(const std::uint8_t* mask, double scale, const T* g, std::int64_t n, T* dx) {
  apply_any(mask, scale, g, n, dx);
}

template void dropout(const Generator&, std::uint64_t, double, const float*, std::int64_t, float*,
                      std::uint8_t*);
template void dropout(const Generator&, std::uint64_t, double, const double*, std::int64_t, double*,
                      std::uint8_t*);
template void apply_mask(const std::uint8_t*, double, const float*, std::int64_t, float*);
template void apply_mask(const std::uint8_t*, double, const double*, std::int64_t, double*);

}  // namespace weft::kernels
#endif
