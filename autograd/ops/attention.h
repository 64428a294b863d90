// Scaled dot-product attention.
#pragma once

#include <optional>

#include "core/tensor.h"

namespace weft {

struct AttentionOptions {
  bool causal = false;   ///< query i sees keys up to i + (S - T): the last query sees the last key
  Tensor key_padding{};  ///< u8 (B, S), not 0 where the key may not be seen; undefined: all may
  Tensor bias{};  ///< float, broadcasts to (B, H, T, S), added to the scores (ALiBi, additive
                  ///< masks; -inf forbids); undefined: none
  std::optional<double> scale{};  ///< default 1 / sqrt(D)
};

/// softmax(q k^T scale + bias) v, exact, in tiles with a running maximum: no (T, S) matrix is
/// stored. Shape: q (B, H, T, D), k (B, Hk, S, D), v (B, Hk, S, Dv), H a multiple of Hk -> (B, H,
/// T, Dv). Views with any strides whose last is 1 are read in place. A query that may see no key
/// gives zeros. Gradient: recomputed from the saved log-sum-exp; bias has one too. Throws:
/// ShapeError, DTypeError. Source: Vaswani et al. 2017 (arXiv 1706.03762), eq. 1; tiling: Dao et
/// al. 2022 (arXiv 2205.14135), algorithms 1 and 4; grouped heads: Ainslie et al. 2023 (arXiv
/// 2305.13245).
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});

/// The attention weights alone. Shape: q (B, H, T, D), k (B, Hk, S, D) -> (B, H, T, S). Gradient:
/// softmax's, through the scores. Throws: ShapeError, DTypeError.
Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options = {});

namespace definition {
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options);
}  // namespace definition
}  // namespace weft
