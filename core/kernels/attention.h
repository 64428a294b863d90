// Exact attention in tiles: no (T, S) matrix is stored. Everything with a row stride is read and
// written in place.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/kernels/tile_gemm.h"
namespace weft::kernels {

/// Matrices (T or S rows) of a (B, H) grid; strides in elements, rows contiguous. data null: not
/// wanted, or there as `rounded`, what products in bf16 read.
template <class T>
struct HeadGrid {
  T* data = nullptr;
  std::int64_t batch = 0, head = 0, row = 0;
  const BFloat16* rounded = nullptr;

  std::int64_t offset(std::int64_t b, std::int64_t h, std::int64_t r) const {
    return b * batch + h * head + r * row;
  }
  T* at(std::int64_t b, std::int64_t h, std::int64_t r) const { return data + offset(b, h, r); }
  /// What a product reads.
  OperandOf<std::remove_const_t<T>> operand(std::int64_t b, std::int64_t h, std::int64_t r) const {
    if constexpr (std::is_same_v<std::remove_const_t<T>, float>)
      if (rounded) return rounded + offset(b, h, r);
    return at(b, h, r);
  }
};

template <class T>
struct AttentionArgs {
  std::int64_t B = 0, H = 0, Hk = 0, T_ = 0, S = 0, D = 0, Dv = 0;
  bool causal = false;  ///< query i sees keys up to i + S - T
  T scale = 1;
  HeadGrid<const T> q, k, v;
  const T* key_bias = nullptr;  ///< (B, S): 0, or -inf where a key is padding; null: none is
  const T* bias = nullptr;      ///< added to the scores, with strides of (B, H, T, S); null: none
  std::int64_t bias_strides[4] = {0, 0, 0, 0};
};

/// out = softmax(scale q k^T + bias) v and the log-sum-exp of every row of scores, (B, H, T); +inf
/// where a query sees nothing, so that e^(score - lse) is 0 there. lse may be null.
template <class T>
void attention_forward(const AttentionArgs<T>& args, const HeadGrid<T>& out, T* lse);

/// Gradients, added to dq, dk, dv (zeroed by the caller). dbias (B, H, T, S) is written whole;
/// null: not wanted.
template <class T>
struct AttentionGradients {
  HeadGrid<T> dq, dk, dv;
  T* dbias = nullptr;
};
template <class T>
void attention_backward(const AttentionArgs<T>& args, const HeadGrid<const T>& out, const T* lse,
                        const HeadGrid<const T>& g, const AttentionGradients<T>& gradients);

}  // namespace weft::kernels
