#include "core/kernels/binary.h"

#include <cmath>
#include <functional>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/binary.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/simd-inl.h"
#include "core/kernels/strided.h"
#include "core/math.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

/// One run of results. Strides of 0 and 1 are vectorized; any other (a transposed operand) goes
/// element by element.
template <class F>
HWY_INLINE void run_with(const float* a, std::int64_t a_stride, const float* b,
                         std::int64_t b_stride, float* out, std::int64_t n, F f) {
  const FloatTag d;
  if (a_stride == 1 && b_stride == 1) {
    map(a, b, out, n, f);
  } else if (a_stride == 1 && b_stride == 0) {
    const auto vb = hn::Set(d, b[0]);
    map(a, out, n, [&](FloatVec va) { return f(va, vb); });
  } else if (a_stride == 0 && b_stride == 1) {
    const auto va = hn::Set(d, a[0]);
    map(b, out, n, [&](FloatVec vb) { return f(va, vb); });
  } else {
    // Gathered into a buffer, so that every element takes the same vector operation whatever the
    // strides.
    constexpr std::int64_t kBlock = 64;
    float x[kBlock], y[kBlock];
    for (std::int64_t start = 0; start < n; start += kBlock) {
      const std::int64_t m = n - start < kBlock ? n - start : kBlock;
      for (std::int64_t i = 0; i < m; ++i)
        x[i] = a[(start + i) * a_stride], y[i] = b[(start + i) * b_stride];
      map(x, y, out + start, m, f);
    }
  }
}

void BinaryRun(Binary op, const float* a, std::int64_t a_stride, const float* b,
               std::int64_t b_stride, float* out, std::int64_t n) {
  switch (op) {
    case Binary::add:
      return run_with(a, a_stride, b, b_stride, out, n,
                      [](FloatVec x, FloatVec y) { return hn::Add(x, y); });
    case Binary::sub:
      return run_with(a, a_stride, b, b_stride, out, n,
                      [](FloatVec x, FloatVec y) { return hn::Sub(x, y); });
    case Binary::mul:
      return run_with(a, a_stride, b, b_stride, out, n,
                      [](FloatVec x, FloatVec y) { return hn::Mul(x, y); });
    case Binary::div:
      return run_with(a, a_stride, b, b_stride, out, n,
                      [](FloatVec x, FloatVec y) { return hn::Div(x, y); });
    // x where it is larger or NaN, else y, which may be NaN itself.
    case Binary::maximum:
      return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) {
        return hn::IfThenElse(hn::Or(hn::Gt(x, y), hn::IsNaN(x)), x, y);
      });
    case Binary::minimum:
      return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) {
        return hn::IfThenElse(hn::Or(hn::Lt(x, y), hn::IsNaN(x)), x, y);
      });
    case Binary::pow:
      return;
  }
}

/// Elements that are brought side by side at a time.
constexpr std::int64_t kStage = 256;

/// n elements a stride apart as neighbors: p itself, or the buffer they were copied to.
template <class T>
HWY_INLINE const T* staged(const T* p, std::int64_t stride, std::int64_t n, T* buffer) {
  if (stride == 1) return p;
  for (std::int64_t i = 0; i < n; ++i) buffer[i] = p[i * stride];
  return buffer;
}

void WhereRun(const std::uint8_t* c, std::int64_t c_stride, const float* a, std::int64_t a_stride,
              const float* b, std::int64_t b_stride, float* out, std::int64_t n) {
  const FloatTag d;
  const hn::Rebind<std::uint8_t, FloatTag> d8;
  const hn::RebindToSigned<FloatTag> d32;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::uint8_t c_buffer[kStage];
  float a_buffer[kStage], b_buffer[kStage];
  for (std::int64_t start = 0; start < n; start += kStage) {
    const std::int64_t m = n - start < kStage ? n - start : kStage;
    const std::uint8_t* mask = staged(c + start * c_stride, c_stride, m, c_buffer);
    const float* x = staged(a + start * a_stride, a_stride, m, a_buffer);
    const float* y = staged(b + start * b_stride, b_stride, m, b_buffer);
    std::int64_t i = 0;
    for (; i + lanes <= m; i += lanes) {
      const auto chosen =
          hn::RebindMask(d, hn::Gt(hn::PromoteTo(d32, hn::LoadU(d8, mask + i)), hn::Zero(d32)));
      hn::StoreU(hn::IfThenElse(chosen, hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d,
                 out + start + i);
    }
    for (; i < m; ++i) out[start + i] = mask[i] != 0 ? x[i] : y[i];
  }
}

template <class F>
HWY_INLINE void compare_with(const float* a, std::int64_t a_stride, const float* b,
                             std::int64_t b_stride, std::uint8_t* out, std::int64_t n, F f) {
  const FloatTag d;
  const hn::Rebind<std::uint8_t, FloatTag> d8;
  const hn::RebindToSigned<FloatTag> d32;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  float a_buffer[kStage], b_buffer[kStage];
  for (std::int64_t start = 0; start < n; start += kStage) {
    const std::int64_t m = n - start < kStage ? n - start : kStage;
    const float* x = staged(a + start * a_stride, a_stride, m, a_buffer);
    const float* y = staged(b + start * b_stride, b_stride, m, b_buffer);
    for (std::int64_t i = 0; i < m; i += lanes) {
      const bool whole = i + lanes <= m;
      const auto holds = whole ? f(hn::LoadU(d, x + i), hn::LoadU(d, y + i))
                               : f(load_partial(d, x + i, m - i), load_partial(d, y + i, m - i));
      const auto bytes =
          hn::DemoteTo(d8, hn::IfThenElseZero(hn::RebindMask(d32, holds), hn::Set(d32, 1)));
      if (whole) {
        hn::StoreU(bytes, d8, out + start + i);
      } else {
        HWY_ALIGN std::uint8_t buffer[hn::MaxLanes(d8)];
        hn::Store(bytes, d8, buffer);
        for (std::int64_t j = 0; j < m - i; ++j) out[start + i + j] = buffer[j];
      }
    }
  }
}

void CompareRun(Compare op, const float* a, std::int64_t a_stride, const float* b,
                std::int64_t b_stride, std::uint8_t* out, std::int64_t n) {
  switch (op) {
    case Compare::equal:
      return compare_with(a, a_stride, b, b_stride, out, n,
                          [](FloatVec x, FloatVec y) { return hn::Eq(x, y); });
    case Compare::greater:
      return compare_with(a, a_stride, b, b_stride, out, n,
                          [](FloatVec x, FloatVec y) { return hn::Gt(x, y); });
    case Compare::less:
      return compare_with(a, a_stride, b, b_stride, out, n,
                          [](FloatVec x, FloatVec y) { return hn::Lt(x, y); });
  }
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(BinaryRun);
HWY_EXPORT(CompareRun);
HWY_EXPORT(WhereRun);

template <class T, class U, class F>
void scalar_run(const T* a, std::int64_t a_stride, const T* b, std::int64_t b_stride, U* out,
                std::int64_t n, F f) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i * a_stride], b[i * b_stride]);
}

/// Runs of `f(a, a_stride, b, b_stride, out, n)` over the collapsed loop nest.
template <class T, class U, class F>
void for_runs(const Shape& shape, const T* a, const Shape& a_strides, const T* b,
              const Shape& b_strides, U* out, F f) {
  const StridedLoop<2> loop(shape, {a_strides, b_strides});
  if (shape.numel() == 0) return;
  loop.for_each_run([&](std::int64_t start, const auto& offsets, std::int64_t n) {
    f(a + offsets[0], loop.inner_strides[0], b + offsets[1], loop.inner_strides[1], out + start, n);
  });
}

void binary_of(Binary op, const Shape& shape, const float* a, const Shape& a_strides,
               const float* b, const Shape& b_strides, float* out) {
  if (op == Binary::pow) {
    for_runs(shape, a, a_strides, b, b_strides, out,
             [](const float* x, std::int64_t sx, const float* y, std::int64_t sy, float* to,
                std::int64_t n) {
               scalar_run(x, sx, y, sy, to, n,
                          [](float u, float v) { return static_cast<float>(math::pow(u, v)); });
             });
    return;
  }
  const auto run = HWY_DYNAMIC_DISPATCH(BinaryRun);
  for_runs(shape, a, a_strides, b, b_strides, out,
           [&](const float* x, std::int64_t sx, const float* y, std::int64_t sy, float* to,
               std::int64_t n) { run(op, x, sx, y, sy, to, n); });
}

void binary_of(Binary op, const Shape& shape, const double* a, const Shape& a_strides,
               const double* b, const Shape& b_strides, double* out) {
  const auto runs = [&](auto f) {
    for_runs(shape, a, a_strides, b, b_strides, out,
             [f](const double* x, std::int64_t sx, const double* y, std::int64_t sy, double* to,
                 std::int64_t n) { scalar_run(x, sx, y, sy, to, n, f); });
  };
  switch (op) {
    case Binary::add:
      return runs([](double x, double y) { return x + y; });
    case Binary::sub:
      return runs([](double x, double y) { return x - y; });
    case Binary::mul:
      return runs([](double x, double y) { return x * y; });
    case Binary::div:
      return runs([](double x, double y) { return x / y; });
    case Binary::maximum:
      return runs([](double x, double y) { return x > y || x != x ? x : y; });
    case Binary::minimum:
      return runs([](double x, double y) { return x < y || x != x ? x : y; });
    case Binary::pow:
      return runs([](double x, double y) { return math::pow(x, y); });
  }
}

}  // namespace

template <class T>
void binary(Binary op, const Shape& shape, const T* a, const Shape& a_strides, const T* b,
            const Shape& b_strides, T* out) {
  binary_of(op, shape, a, a_strides, b, b_strides, out);
}

template <class T>
void compare(Compare op, const Shape& shape, const T* a, const Shape& a_strides, const T* b,
             const Shape& b_strides, std::uint8_t* out) {
  if constexpr (std::is_same_v<T, float>) {
    const auto run = HWY_DYNAMIC_DISPATCH(CompareRun);
    for_runs(shape, a, a_strides, b, b_strides, out,
             [&](const float* x, std::int64_t sx, const float* y, std::int64_t sy, std::uint8_t* to,
                 std::int64_t n) { run(op, x, sx, y, sy, to, n); });
    return;
  }
  const auto runs = [&](auto f) {
    for_runs(shape, a, a_strides, b, b_strides, out,
             [f](const T* x, std::int64_t sx, const T* y, std::int64_t sy, std::uint8_t* to,
                 std::int64_t n) {
               scalar_run(x, sx, y, sy, to, n,
                          [f](T u, T v) { return static_cast<std::uint8_t>(f(u, v)); });
             });
  };
  switch (op) {
    case Compare::equal:
      return runs(std::equal_to<T>());
    case Compare::greater:
      return runs(std::greater<T>());
    case Compare::less:
      return runs(std::less<T>());
  }
}

template <class T>
void where(const Shape& shape, const std::uint8_t* condition, const Shape& condition_strides,
           const T* a, const Shape& a_strides, const T* b, const Shape& b_strides, T* out) {
  if (shape.numel() == 0) return;
  const StridedLoop<3> loop(shape, {condition_strides, a_strides, b_strides});
  const auto& stride = loop.inner_strides;
  const auto run = HWY_DYNAMIC_DISPATCH(WhereRun);
  loop.for_each_run([&](std::int64_t start, const auto& offsets, std::int64_t n) {
    const std::uint8_t* c = condition + offsets[0];
    const T *x = a + offsets[1], *y = b + offsets[2];
    T* to = out + start;
    if constexpr (std::is_same_v<T, float>) {
      run(c, stride[0], x, stride[1], y, stride[2], to, n);
    } else {
      for (std::int64_t i = 0; i < n; ++i)
        to[i] = c[i * stride[0]] != 0 ? x[i * stride[1]] : y[i * stride[2]];
    }
  });
}

template void binary(Binary, const Shape&, const float*, const Shape&, const float*, const Shape&,
                     float*);
template void binary(Binary, const Shape&, const double*, const Shape&, const double*, const Shape&,
                     double*);
template void compare(Compare, const Shape&, const float*, const Shape&, const float*, const Shape&,
                      std::uint8_t*);
template void compare(Compare, const Shape&, const double*, const Shape&, const double*,
                      const Shape&, std::uint8_t*);
template void compare(Compare, const Shape&, const std::int32_t*, const Shape&, const std::int32_t*,
                      const Shape&, std::uint8_t*);
template void compare(Compare, const Shape&, const std::int64_t*, const Shape&, const std::int64_t*,
                      const Shape&, std::uint8_t*);
template void compare(Compare, const Shape&, const std::uint8_t*, const Shape&, const std::uint8_t*,
                      const Shape&, std::uint8_t*);
template void where(const Shape&, const std::uint8_t*, const Shape&, const float*, const Shape&,
                    const float*, const Shape&, float*);
template void where(const Shape&, const std::uint8_t*, const Shape&, const double*, const Shape&,
                    const double*, const Shape&, double*);

}  // namespace weft::kernels
#endif
