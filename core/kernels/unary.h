// Elementwise kernels of one operand, on contiguous elements.
#pragma once

#include <cstdint>

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
void unary(Unary op, const float* x, float* out, std::int64_t n);
void unary(Unary op, const double* x, double* out, std::int64_t n);

/// dx[i] = g[i] times the derivative of `op`: at x[i] for gelu_erf, gelu_tanh, silu and softplus;
/// for relu, tanh and sigmoid `x` holds the op's output instead. Other ops have no kernel and leave
/// dx alone. dx may be x or g.
void unary_backward(Unary op, const float* x, const float* g, float* dx, std::int64_t n);
void unary_backward(Unary op, const double* x, const double* g, double* dx, std::int64_t n);

}  // namespace weft::kernels
