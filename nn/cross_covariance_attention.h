// Attention between channels instead of tokens.
#pragma once

#include "nn/linear.h"

namespace weft::nn {

/// Each head's channels attend to one another: with every channel of q and k, taken as a vector
/// over the tokens, scaled to length 1, channel i of a token becomes sum_j softmax_j(temperature
/// <q_i, k_j>) v_j. Cost is linear in T, quadratic in D. Shape: q, k, v (B, H, T, D), temperature
/// (H, 1, 1) -> (B, H, T, D). Source: El-Nouby et al. 2021, XCiT (arXiv 2106.09681), eq. 2 and
/// section 3.2.
Tensor cross_covariance(const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor& temperature);

struct CrossCovarianceAttentionOptions {
  std::int64_t n_embd = 0;
  std::int64_t n_head = 1;
  init::Initializer init{};
};

/// cross_covariance() of heads that one linear layer makes, then joined and projected.
/// Parameters: temperature (H, 1, 1), starting at 1 (the paper's 1 / tau, and its code's
/// parameter), qkv (3 C, C), proj (C, C), with biases.
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
