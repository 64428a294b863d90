// Elementwise kernels of one operand, on contiguous elements.
#pragma once

#include <cstdint>

#include "core/bfloat16.h"

namespace weft::kernels {

enum class Unary : std::uint8_t {
  neg,
  exp,
  log,
  sqrt,
  rsqrt,
  abs,
  sign,
  sin,
  cos,
  tanh,
  sigmoid,
  relu,
  square,
  erf,
  gelu_erf,
  gelu_tanh,
  silu,
  softplus,
};

/// out[i] = op(x[i]); out may be x. f32 within the error stated in vector_math-inl.h, f64 by
/// <cmath>.
template <class T>
void unary(Unary op, const T* x, T* out, std::int64_t n);

/// dx[i] = g[i] times the derivative of `op`: at x[i] for gelu_erf, gelu_tanh, silu and softplus;
/// for relu, tanh and sigmoid `x` holds the op's output instead. Other ops have no kernel and leave
/// dx alone. dx may be x or g.
template <class T>
void unary_backward(Unary op, const T* x, const T* g, T* dx, std::int64_t n);
/// The same at x that was rounded.
void unary_backward(Unary op, const BFloat16* x, const float* g, float* dx, std::int64_t n);

}  // namespace weft::kernels
