#include "core/kernels/binary.h"

#include <cmath>
#include <functional>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/binary.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "core/kernels/simd-inl.h"
#include "core/kernels/strided.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

/// One run of results. Strides of 0 and 1 are vectorised; any other (a transposed operand) goes element by element.
template <class F>
HWY_INLINE void run_with(const float* a, std::int64_t a_stride, const float* b, std::int64_t b_stride, float* out, std::int64_t n, F f) {
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
    // Gathered into a buffer, so that every element takes the same vector operation whatever the strides.
    constexpr std::int64_t kBlock = 64;
    float x[kBlock], y[kBlock];
    for (std::int64_t start = 0; start < n; start += kBlock) {
      const std::int64_t m = n - start < kBlock ? n - start : kBlock;
      for (std::int64_t i = 0; i < m; ++i) x[i] = a[(start + i) * a_stride], y[i] = b[(start + i) * b_stride];
      map(x, y, out + start, m, f);
    }
  }
}

void BinaryRun(Binary op, const float* a, std::int64_t a_stride, const float* b, std::int64_t b_stride, float* out, std::int64_t n) {
  switch (op) {
    case Binary::add: return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) { return hn::Add(x, y); });
    case Binary::sub: return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) { return hn::Sub(x, y); });
    case Binary::mul: return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) { return hn::Mul(x, y); });
    case Binary::div: return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) { return hn::Div(x, y); });
    // x where it is larger or NaN, else y, which may be NaN itself.
    case Binary::maximum:
      return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) { return hn::IfThenElse(hn::Or(hn::Gt(x, y), hn::IsNaN(x)), x, y); });
    case Binary::minimum:
      return run_with(a, a_stride, b, b_stride, out, n, [](FloatVec x, FloatVec y) { return hn::IfThenElse(hn::Or(hn::Lt(x, y), hn::IsNaN(x)), x, y); });
    case Binary::pow: return;
  }
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(BinaryRun);

template <class T, class U, class F>
void scalar_run(const T* a, std::int64_t a_stride, const T* b, std::int64_t b_stride, U* out, std::int64_t n, F f) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i * a_stride], b[i * b_stride]);
}

/// Runs of `f(a, a_stride, b, b_stride, out, n)` over the collapsed loop nest.
template <class T, class U, class F>
void for_runs(const Shape& shape, const T* a, const Shape& a_strides, const T* b, const Shape& b_strides, U* out, F f) {
  const StridedLoop<2> loop(shape, {a_strides, b_strides});
  if (shape.numel() == 0) return;
  loop.for_each_run([&](std::int64_t start, const auto& offsets, std::int64_t n) {
    f(a + offsets[0], loop.inner_strides[0], b + offsets[1], loop.inner_strides[1], out + start, n);
  });
}

}  // namespace

void binary(Binary op, const Shape& shape, const float* a, const Shape& a_strides, const float* b, const Shape& b_strides, float* out) {
  if (op == Binary::pow) {
    for_runs(shape, a, a_strides, b, b_strides, out, [](const float* x, std::int64_t sx, const float* y, std::int64_t sy, float* to, std::int64_t n) {
      scalar_run(x, sx, y, sy, to, n, [](float u, float v) { return std::pow(u, v); });
    });
    return;
  }
  const auto run = HWY_DYNAMIC_DISPATCH(BinaryRun);
  for_runs(shape, a, a_strides, b, b_strides, out, [&](const float* x, std::int64_t sx, const float* y, std::int64_t sy, float* to, std::int64_t n) {
    run(op, x, sx, y, sy, to, n);
  });
}

void binary(Binary op, const Shape& shape, const double* a, const Shape& a_strides, const double* b, const Shape& b_strides, double* out) {
  const auto runs = [&](auto f) {
    for_runs(shape, a, a_strides, b, b_strides, out, [f](const double* x, std::int64_t sx, const double* y, std::int64_t sy, double* to, std::int64_t n) {
      scalar_run(x, sx, y, sy, to, n, f);
    });
  };
  switch (op) {
    case Binary::add: return runs([](double x, double y) { return x + y; });
    case Binary::sub: return runs([](double x, double y) { return x - y; });
    case Binary::mul: return runs([](double x, double y) { return x * y; });
    case Binary::div: return runs([](double x, double y) { return x / y; });
    case Binary::maximum: return runs([](double x, double y) { return x > y || x != x ? x : y; });
    case Binary::minimum: return runs([](double x, double y) { return x < y || x != x ? x : y; });
    case Binary::pow: return runs([](double x, double y) { return std::pow(x, y); });
  }
}

template <class T>
void compare(Compare op, const Shape& shape, const T* a, const Shape& a_strides, const T* b, const Shape& b_strides, std::uint8_t* out) {
  const auto runs = [&](auto f) {
    for_runs(shape, a, a_strides, b, b_strides, out, [f](const T* x, std::int64_t sx, const T* y, std::int64_t sy, std::uint8_t* to, std::int64_t n) {
      scalar_run(x, sx, y, sy, to, n, [f](T u, T v) { return static_cast<std::uint8_t>(f(u, v)); });
    });
  };
  switch (op) {
    case Compare::equal: return runs(std::equal_to<T>());
    case Compare::greater: return runs(std::greater<T>());
    case Compare::less: return runs(std::less<T>());
  }
}

template <class T>
void where(const Shape& shape, const std::uint8_t* condition, const Shape& condition_strides, const T* a, const Shape& a_strides, const T* b, const Shape& b_strides, T* out) {
  if (shape.numel() == 0) return;
  const StridedLoop<3> loop(shape, {condition_strides, a_strides, b_strides});
  const auto [sc, sa, sb] = loop.inner_strides;
  loop.for_each_run([&, sc = sc, sa = sa, sb = sb](std::int64_t start, const auto& offsets, std::int64_t n) {
    const std::uint8_t* c = condition + offsets[0];
    const T* x = a + offsets[1];
    const T* y = b + offsets[2];
    T* to = out + start;
    for (std::int64_t i = 0; i < n; ++i) to[i] = c[i * sc] != 0 ? x[i * sa] : y[i * sb];
  });
}

template void compare(Compare, const Shape&, const float*, const Shape&, const float*, const Shape&, std::uint8_t*);
template void compare(Compare, const Shape&, const double*, const Shape&, const double*, const Shape&, std::uint8_t*);
template void compare(Compare, const Shape&, const std::int32_t*, const Shape&, const std::int32_t*, const Shape&, std::uint8_t*);
template void compare(Compare, const Shape&, const std::int64_t*, const Shape&, const std::int64_t*, const Shape&, std::uint8_t*);
template void compare(Compare, const Shape&, const std::uint8_t*, const Shape&, const std::uint8_t*, const Shape&, std::uint8_t*);
template void where(const Shape&, const std::uint8_t*, const Shape&, const float*, const Shape&, const float*, const Shape&, float*);
template void where(const Shape&, const std::uint8_t*, const Shape&, const double*, const Shape&, const double*, const Shape&, double*);

}  // namespace weft::kernels
#endif
