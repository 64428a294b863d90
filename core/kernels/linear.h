// The affine map of a linear layer: row-major operands, tiles cut by shape alone.
#pragma once

#include <cstdint>

#include "core/bfloat16.h"

namespace weft::kernels {

template <class T>
struct LinearArgs {
  std::int64_t rows = 0, in = 0, out = 0;
  const T* x = nullptr;               ///< (rows, in)
  const BFloat16* rounded = nullptr;  ///< x as products in bf16 read it, in its place; may be null
  std::int64_t ldx = 0;               ///< row stride of x
  const T* weight = nullptr;          ///< (out, in)
};

/// y (rows, out) = x weight^T + bias; bias (out,) may be null. The bias is what the product is
/// added to, so y is written once.
template <class T>
void linear_forward(const LinearArgs<T>& args, const T* bias, T* y);
/// dx = g weight, dweight = g^T x, dbias = column sums of g (rows, out). Null outputs are not
/// computed.
template <class T>
void linear_backward(const LinearArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias);

}  // namespace weft::kernels
