// MultiHeadAttention: self and cross attention in all the forms that weft compares.
#pragma once

#include <optional>

#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/options.h"

namespace weft::nn {

struct MultiHeadAttentionOptions {
  std::int64_t n_embd = 0;
  std::int64_t n_head = 1;
  AttentionKind kind = AttentionKind::softmax;
  std::int64_t n_kv_head =
      0;  ///< 0: n_head; must divide it. Source: Ainslie et al. 2023 (arXiv 2305.13245)
  std::int64_t head_size = 0;  ///< 0: n_embd / n_head
  std::int64_t context_embd =
      0;  ///< above 0: cross attention, keys and values are made from a context this wide
  bool causal = false;
  bool bias = true;
  double decay =
      1;  ///< of lightning: what the slopes of the heads' decays are multiplied by; 0: no decay
  /// RMS norm, without weights, of each head's queries and keys.
  /// Source: Henry et al. 2020 (arXiv 2010.04245); Dehghani et al. 2023 (arXiv 2302.05442),
  /// section 2.
  bool qk_norm = false;
  Positions positions = Positions::none;  ///< rope and alibi act here, others outside
  double rope_base = 10000;
  double dropout = 0;             ///< of the output
  double attention_dropout = 0;   ///< of the weights; these are then stored
  std::optional<double> scale{};  ///< default 1 / sqrt(D)
  init::Initializer init{};
  init::Initializer proj_init{};
  Naming naming = Naming::nanogpt;

  /// Throws ConfigError.
  void validate() const;
};

/// Keys and values of one layer, (B, Hk, capacity, D); the first `length` of them are in use. For
/// lightning and linear attention their sum alone, whose size does not depend on the length.
struct KvCache {
  Tensor keys;
  Tensor values;
  Tensor state;  ///< (B, H, D, D), D + 1 columns for linear
  std::int64_t length = 0;
};

/// What may be handed to one call.
struct AttentionCall {
  Tensor context{};           ///< (B, S, context_embd), for cross attention
  Tensor key_padding{};       ///< u8 (B, S), not 0 where the key may not be seen
  Tensor mask{};              ///< additive, broadcasts to (B, H, T, S); -inf forbids
  KvCache* cache = nullptr;   ///< x follows what is cached; self attention without gradients only
  Tensor* weights = nullptr;  ///< receives the attention weights, (B, H, T, S)
};

/// The share of a head's slope that layer `layer` of `n_layer` decays by: less the higher it
/// stands, almost nothing in the last. Source: Qin et al. 2023, TransNormerLLM (arXiv 2307.14995),
/// section 3.1, and its published code.
double layer_decay(std::int64_t layer, std::int64_t n_layer);

/// Heads of attention, joined and projected; AttentionKind says what a head computes. One linear
/// layer makes q, k and v, and they are read in place. All kinds have these parameters: c_attn ((H
/// + 2 Hk) D, C), c_proj (C, H D) (timm: qkv, proj); for cross attention c_q, c_kv, c_proj (q, kv,
/// proj). Channels have a temperature (H, 1, 1) as well. Source: Vaswani et al. 2017 (arXiv
/// 1706.03762), section 3.2.
class MultiHeadAttention : public Module {
 public:
  /// Throws ConfigError from options.validate().
  explicit MultiHeadAttention(const MultiHeadAttentionOptions& options);

  /// Shape: x (B, T, C) -> (B, T, C). Throws: ShapeError; GraphError for a cache while gradients
  /// are recorded.
  Tensor forward(const Tensor& x, const AttentionCall& call = {}) const;
  Tensor operator()(const Tensor& x, const AttentionCall& call = {}) const {
    return forward(x, call);
  }
  std::string details() const override;

 private:
  struct Heads;  ///< q, k and v as (B, heads, positions, D)
  Heads project(const Tensor& x, const AttentionCall& call) const;
  /// (B, H, T, D) of softmax and plain attention: of the kinds that have scores.
  Tensor scored(const Tensor& q, Tensor k, Tensor v, const AttentionCall& call) const;
  /// The same of lightning and linear attention.
  Tensor running_sums(Tensor q, Tensor k, Tensor v, const AttentionCall& call) const;
  /// The same of attention between channels.
  Tensor between_channels(const Tensor& q, const Tensor& k, const Tensor& v,
                          const AttentionCall& call) const;
  Tensor bias(const Tensor& mask, std::int64_t queries, std::int64_t keys, DType dtype) const;

  MultiHeadAttentionOptions options_;
  std::int64_t head_size_, kv_heads_;
  OptionalChild<Linear> qkv;
  OptionalChild<Linear> query;
  OptionalChild<Linear> key_value;
  Child<Linear> proj;
  Child<Dropout> drop;
  Parameter temperature;
};

}  // namespace weft::nn
