// Attention between channels instead of tokens.
#pragma once

#include "nn/linear.h"

namespace weft::nn {

struct CrossCovarianceAttentionOptions {
  std::int64_t n_embd = 0;
  std::int64_t n_head = 1;
  init::Initializer init{};
};

/// Each head's channels attend to one another: with every channel of q and k, taken as a vector over the tokens, scaled to length 1, channel i of a
/// token becomes sum_j softmax_j(temperature <q_i, k_j>) v_j; then joined and projected. Cost is linear in T, quadratic in D.
/// Parameters: temperature (H, 1, 1), starting at 1 (the paper's 1 / tau, and its code's parameter), qkv (3 C, C), proj (C, C), with biases.
/// Source: El-Nouby et al. 2021, XCiT (arXiv 2106.09681), eq. 2 and section 3.2.
class CrossCovarianceAttention : public Module {
 public:
  /// Throws ConfigError.
  explicit CrossCovarianceAttention(const CrossCovarianceAttentionOptions& options);

  /// Shape: (B, T, C) -> (B, T, C). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

 private:
  CrossCovarianceAttentionOptions options_;
  Parameter temperature;
  Child<Linear> qkv;
  Child<Linear> proj;
};

}  // namespace weft::nn
