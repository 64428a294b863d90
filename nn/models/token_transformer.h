// Attention over sequences of real-valued tokens, with every part that could relate one dimension
// to another as a choice of its own.
#pragma once

#include "nn/attention.h"
#include "nn/cross_covariance_attention.h"
#include "nn/diagonal_attention.h"
#include "nn/feed_forward.h"
#include "nn/model.h"
#include "nn/norm.h"

namespace weft::nn {

/// What relates the tokens.
enum class TokenMixer : std::uint8_t {
  diagonal,          ///< softmax attention with diagonal W_Q, W_K, W_V
  full,              ///< softmax attention with full ones
  linear,            ///< the same without softmax: AttentionKind::linear
  cross_covariance,  ///< attention between the channels (XCiT)
};

struct TokenTransformerConfig {
  std::int64_t n_token = 4;    ///< T
  std::int64_t n_feature = 8;  ///< F
  std::int64_t n_class = 1;    ///< outputs
  bool embed = false;  ///< a linear layer makes n_embd dimensions of a token's F; without it C = F,
                       ///< and nothing is mixed before attention
  std::int64_t n_embd = 32;
  std::int64_t n_layer = 1;
  std::int64_t n_head = 1;
  TokenMixer mixer = TokenMixer::full;
  bool feed_forward = false;
  double mlp_ratio = 4;
  Activation activation = Activation::gelu_erf;
  bool norm = false;  ///< before attention and before the feed-forward layers; the read-out sees
                      ///< the residual stream as it is
  NormKind norm_kind = NormKind::layer;
  bool positions = true;    ///< a learned vector is added to each token
  double position_std = 1;  ///< of these at the start: as large as standardized features
  double dropout = 0;       ///< of the embedded tokens and of each layer's outputs

  /// Throws ConfigError.
  void validate() const;
  /// Of a token inside the model.
  std::int64_t width() const { return embed ? n_embd : n_feature; }
  std::int64_t hidden_size() const;  ///< of the feed-forward layers
};

/// x + positions, then layers of x + mixer(x) and, with feed_forward, x + mlp(x), then a linear
/// read-out of all tokens and dimensions. The plainest form (mixer diagonal; no embed, feed_forward
/// or norm) holds nothing that mixes dimensions outside the attention itself: the sum and the
/// read-out are linear. What attention alone can do there, and why positions matter:
///   - a score is a sum over dimensions, and its weight moves all dimensions of a value, so
///   dimension 1 can decide how much of dimension 2 is taken;
///   - exp of a sum is a product of exps: softmax itself multiplies functions of different
///   dimensions;
///   - without positions the output is odd in the tokens (scores even, values odd), so that no
///   product of two features, which is even, can be read
///     from it. A position in the query or key makes a score linear in the other's features; one in
///     the value lets the weight itself be read.
/// Source: Vaswani et al. 2017 (arXiv 1706.03762); pre-norm: Xiong et al. 2020 (arXiv 2002.04745),
/// figure 1.
class TokenTransformer : public Model {
 public:
  explicit TokenTransformer(const TokenTransformerConfig& config);

  /// Shape: (B, T, F) -> (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& tokens) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const TokenTransformerConfig& config() const { return config_; }  ///< as it was built

 private:
  struct Layer : Module {
    explicit Layer(const TokenTransformerConfig& config);
    Tensor forward(const Tensor& x) const;
    Tensor mix(const Tensor& x) const;

    OptionalChild<Norm> norm1;
    OptionalChild<DiagonalAttention> diagonal;  // one of these three, as "attn"
    OptionalChild<MultiHeadAttention> full;
    OptionalChild<CrossCovarianceAttention> channels;
    OptionalChild<Norm> norm2;
    OptionalChild<FeedForward> mlp;
  };

  TokenTransformerConfig config_;
  OptionalChild<Linear> embed;
  Parameter pos_embed;
  Child<Dropout> drop;
  ModuleList<Layer> blocks;
  Child<Linear> head;
};

}  // namespace weft::nn
