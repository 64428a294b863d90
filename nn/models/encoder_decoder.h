// The transformer as it was first described: an encoder reads the source, a decoder writes the
// target and looks at what the encoder made of it.
#pragma once

#include <vector>

#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/linear.h"

namespace weft::nn {

/// The defaults are the paper's: sinusoids, ReLU, layer norm after each sum, biases, one matrix for
/// both embeddings and the head.
struct EncoderDecoderConfig {
  std::int64_t vocab_size = 0;    ///< must be given; of source and target
  std::int64_t source_size = 64;  ///< the longest source
  std::int64_t block_size = 64;   ///< the longest target
  std::int64_t n_layer = 2;       ///< of the encoder, and of the decoder
  std::int64_t n_head = 4;
  std::int64_t n_embd = 128;
  double dropout = 0;
  bool bias = true;
  std::int64_t n_kv_head = 0;
  std::int64_t head_size = 0;
  AttentionKind attention = AttentionKind::softmax;  ///< of source and target to themselves;
                                                     ///< across, it is softmax, or plain
  Positions positions = Positions::sinusoidal;
  double rope_base = 10000;
  NormKind norm = NormKind::layer;
  bool norm_weight = true;
  Activation activation = Activation::relu;
  double mlp_ratio = 4;
  bool qk_norm = false;
  bool tie_weights = true;
  bool zero_init_proj = false;
  bool post_norm = true;
  double attention_dropout = 0;
  InitScheme init = InitScheme::torch;  ///< of the blocks; embeddings are drawn with a deviation of
                                        ///< 1 / sqrt(n_embd)
  double init_std = 0.02;

  /// Throws ConfigError that names the field, its value and what it may be.
  void validate() const;
  /// `head_size`, or n_embd / n_head.
  std::int64_t resolved_head_size() const { return head_size > 0 ? head_size : n_embd / n_head; }
  /// `n_kv_head`, or n_head.
  std::int64_t resolved_kv_heads() const { return n_kv_head > 0 ? n_kv_head : n_head; }
  std::int64_t hidden_size() const;  ///< of the feed-forward layers
};

/// One layer of the decoder: self attention, attention to the source, feed-forward, with a norm
/// each. Children: ln_1, attn, ln_2, cross_attn, ln_3, mlp.
class DecoderBlock : public Module {
 public:
  /// `cross` differs from block.attention in context_embd above 0.
  DecoderBlock(const BlockOptions& block, const MultiHeadAttentionOptions& cross);

  /// Shape: x (B, T, C), memory (B, S, C) -> (B, T, C).
  Tensor forward(const Tensor& x, const Tensor& memory, const Tensor& source_padding = Tensor(),
                 KvCache* cache = nullptr, Tensor* cross_weights = nullptr) const;
  std::string details() const override { return post_norm_ ? "post-norm" : "pre-norm"; }

 private:
  Child<Norm> norm1;
  Child<MultiHeadAttention> attn;
  Child<Norm> norm2;
  Child<MultiHeadAttention> cross_attn;
  Child<Norm> norm3;
  Child<FeedForward> mlp;
  bool post_norm_;
};

struct BeamOptions {
  std::int64_t beam = 4;
  std::int64_t max_length = 0;  ///< tokens after `start`; 0: block_size
  std::int64_t start =
      0;  ///< the first id of every target, and never chosen after it (unless it is `end`, too)
  std::int64_t end = -1;        ///< ends a target; -1: every target has max_length tokens
  double length_penalty = 0.6;  ///< alpha. Source: Wu et al. 2016 (arXiv 1609.08144), eq. 14, as in
                                ///< Vaswani et al. 2017, section 6.1
  std::vector<std::int64_t> forbidden{};  ///< never chosen either: padding, masks, unknown words;
                                          ///< the probabilities of the others stay what they are
  /// Throws ConfigError.
  void validate() const;
};

struct Hypothesis {
  std::vector<std::int64_t> ids;  ///< without `start`, with `end` where it was reached
  double log_probability = 0;
  double score = 0;  ///< log probability / ((5 + length) / 6)^alpha
};

/// Source: Vaswani et al. 2017 (arXiv 1706.03762), sections 3.1 to 3.5. Parameters: wte, wpe_source
/// and wpe (learned positions), encoder.*, decoder.*, encoder_norm and decoder_norm (pre-norm),
/// lm_head (its weight is wte's when tied).
class EncoderDecoder : public Module {
 public:
  /// Throws ConfigError from config.validate().
  explicit EncoderDecoder(const EncoderDecoderConfig& config);

  /// Shape: source (B, S) and target (B, T) ids -> logits (B, T, V): row t is about the token after
  /// target[t]. source_padding: u8 (B, S), not 0 where there is no token. Throws: ShapeError,
  /// IndexError for an id outside the vocabulary.
  Tensor forward(const Tensor& source, const Tensor& target,
                 const Tensor& source_padding = Tensor()) const;
  Tensor operator()(const Tensor& source, const Tensor& target,
                    const Tensor& source_padding = Tensor()) const {
    return forward(source, target, source_padding);
  }
  /// Its halves. Shape: (B, S) -> (B, S, C); then with that (B, T) -> (B, T, V). `caches`, one a
  /// layer or empty at first: the target's earlier tokens; without gradients only. `cross_weights`
  /// receives each layer's (B, H, T, S).
  Tensor encode(const Tensor& source, const Tensor& source_padding = Tensor()) const;
  /// Logits of the next tokens of a target whose source gave `memory`: encode() and then decode()
  /// are forward().
  Tensor decode(const Tensor& target, const Tensor& memory, const Tensor& source_padding = Tensor(),
                std::vector<KvCache>* caches = nullptr,
                std::vector<Tensor>* cross_weights = nullptr) const;

  /// The best targets for one source, best first, at most `beam` of them. Dropout is off meanwhile.
  /// Throws: ConfigError, IndexError.
  std::vector<Hypothesis> beam_search(const std::vector<std::int64_t>& source,
                                      const BeamOptions& options = {});

  std::string details() const override;
  const EncoderDecoderConfig& config() const { return config_; }  ///< as it was built

 private:
  Tensor embed(const Tensor& ids, const OptionalChild<Embedding>& places, std::int64_t first,
               std::int64_t most, const char* what) const;

  EncoderDecoderConfig config_;
  Child<Embedding> wte;
  OptionalChild<Embedding> wpe_source;
  OptionalChild<Embedding> wpe;
  Child<Dropout> drop;
  ModuleList<Block> encoder;
  OptionalChild<Norm> encoder_norm;
  ModuleList<DecoderBlock> decoder;
  OptionalChild<Norm> decoder_norm;
  Child<Linear> lm_head;
};

}  // namespace weft::nn
