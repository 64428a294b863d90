// Attention without softmax over whole sequences: the weights are a product of features, so that keys and values can be summed first.
#pragma once

#include "nn/linear.h"

namespace weft::nn {

/// What queries and keys go through.
enum class FeatureMap : std::uint8_t {
  elu_plus_one,  ///< elu(x) + 1, above 0, and each row of weights is divided by its sum. Source: Katharopoulos et al. 2020 (arXiv 2006.16236), eq. 5 and 7
  identity,      ///< x itself; the weights q k^T / T may have any sign. Source: von Oswald et al. 2022 (arXiv 2212.07677), eq. 2
};

struct LinearAttentionOptions {
  std::int64_t n_embd = 0;
  std::int64_t n_head = 1;
  FeatureMap feature_map = FeatureMap::elu_plus_one;
  init::Initializer init{};
};

/// Heads of phi(q) (phi(k)^T v), joined and projected; not causal. Time and memory are linear in T. Parameters: qkv (3 C, C), proj (C, C), with biases.
class LinearAttention : public Module {
 public:
  /// Throws ConfigError.
  explicit LinearAttention(const LinearAttentionOptions& options);

  /// Shape: (B, T, C) -> (B, T, C). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

 private:
  LinearAttentionOptions options_;
  Child<Linear> qkv;
  Child<Linear> proj;
};

}  // namespace weft::nn
