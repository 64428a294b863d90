// Block: one layer of a transformer.
#pragma once

#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/norm.h"

namespace weft::nn {

struct BlockOptions {
  MultiHeadAttentionOptions attention{};  ///< its n_embd and naming hold for the whole block
  FeedForwardOptions feed_forward{};
  NormOptions norm{};
  bool post_norm = false;
};

/// Pre-norm: x + attn(ln_1(x)), then x + mlp(ln_2(x)). Post-norm: ln_1(x + attn(x)), then ln_2(x +
/// mlp(x)). Children: ln_1, attn, ln_2, mlp (timm: norm1, attn, norm2, mlp). Source: Vaswani et al.
/// 2017 (arXiv 1706.03762), figure 1; Xiong et al. 2020 (arXiv 2002.04745), figure 1.
class Block : public Module {
 public:
  explicit Block(const BlockOptions& options);

  /// Shape: (B, T, C) -> (B, T, C).
  Tensor forward(const Tensor& x, const AttentionCall& call = {}) const;
  Tensor operator()(const Tensor& x, const AttentionCall& call = {}) const {
    return forward(x, call);
  }
  std::string details() const override;

  Child<Norm> norm1;
  Child<MultiHeadAttention> attn;
  Child<Norm> norm2;
  Child<FeedForward> mlp;

 private:
  bool post_norm_;
};

}  // namespace weft::nn
