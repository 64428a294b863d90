// Attention whose W_Q, W_K and W_V are diagonal: nothing but the dot product and its softmax
// relates one dimension to another.
#pragma once

#include "nn/module.h"

namespace weft::nn {

/// Heads of softmax(q k^T / sqrt D) v with q = x diag(query), k = x diag(key), v = x diag(value),
/// joined; no output projection. Parameters: query, key, value (C,). With one head a score is the
/// sum over all dimensions of their products, and one weight moves a token's every dimension: so a
/// dimension may still decide where another one is taken from. With as many heads as dimensions (D
/// = 1) each dimension is attended by itself, and nothing meets. Source: Vaswani et al. 2017 (arXiv
/// 1706.03762), eq. 1, with its projections restricted.
class DiagonalAttention : public Module {
 public:
  /// Throws ConfigError for a width that the heads do not divide.
  explicit DiagonalAttention(std::int64_t n_embd, std::int64_t n_head = 1);

  /// Shape: (B, T, C) -> (B, T, C). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

  Parameter query;
  Parameter key;
  Parameter value;

 private:
  std::int64_t n_head_;
};

}  // namespace weft::nn
