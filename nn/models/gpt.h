// GPT: a decoder-only transformer over ids, with nanoGPT's parameter names.
#pragma once

#include <memory>
#include <vector>

#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/language_model.h"
#include "nn/linear.h"

namespace weft::nn {

/// The defaults are nanoGPT's: layer norm, learned positions, exact GELU, tied head.
struct GptConfig {
  std::int64_t vocab_size = 0;   ///< must be given
  std::int64_t block_size = 64;  ///< the longest context
  std::int64_t n_layer = 4;
  std::int64_t n_head = 4;
  std::int64_t n_embd = 128;
  double dropout = 0;
  bool bias = false;           ///< in linear and norm layers
  std::int64_t n_kv_head = 0;  ///< key/value heads, shared by groups of query heads; 0: n_head
  std::int64_t head_size = 0;  ///< 0: n_embd / n_head
  AttentionKind attention = AttentionKind::softmax;
  Positions positions = Positions::learned;
  double rope_base = 10000;
  NormKind norm = NormKind::layer;
  bool norm_weight = true;  ///< false: norms without weights
  Activation activation = Activation::gelu_erf;
  double mlp_ratio = 4;     ///< hidden size of the feed-forward layers over n_embd
  bool qk_norm = false;     ///< RMS norm of each head's queries and keys
  bool tie_weights = true;  ///< lm_head.weight is transformer.wte.weight
  double logit_cap = 0;     ///< c > 0: logits become c tanh(logits / c). Source: Gemma Team 2024
                            ///< (arXiv 2408.00118), section 2
  bool zero_init_proj = false;  ///< output projections, and the head unless tied, start at zero
  bool post_norm =
      false;  ///< norm after each residual sum, as in Vaswani et al. 2017; no final norm
  double attention_dropout =
      0;  ///< of the attention weights; needs the slower attention that stores them
  InitScheme init = InitScheme::gpt2;
  double init_std = 0.02;

  /// Throws ConfigError that names the field, its value and what it may be, and for more parameters
  /// than memory holds.
  void validate() const;
  /// `head_size`, or n_embd / n_head.
  std::int64_t resolved_head_size() const { return head_size > 0 ? head_size : n_embd / n_head; }
  /// `n_kv_head`, or n_head.
  std::int64_t resolved_kv_heads() const { return n_kv_head > 0 ? n_kv_head : n_head; }
  std::int64_t hidden_size() const;  ///< of the feed-forward layers
};

/// Keys and values of the tokens seen so far.
class GptCache : public LanguageModel::Memory {
 public:
  std::int64_t length() const override { return layers.empty() ? 0 : layers.front().length; }
  void clear() override {
    for (KvCache& layer : layers) layer.length = 0;
  }
  std::vector<KvCache> layers;
};

class Gpt : public LanguageModel {
 public:
  /// Throws ConfigError from config.validate().
  explicit Gpt(const GptConfig& config);

  /// Shape: ids (B, T) -> logits (B, T, V). T is at most block_size with learned or sinusoidal
  /// positions; others may be tried on longer texts. Throws: ShapeError, IndexError for an id
  /// outside the vocabulary.
  Tensor forward(const Tensor& ids) const override;
  /// Also gives each block's attention weights, (B, heads, T, T).
  Tensor forward(const Tensor& ids, std::vector<Tensor>* attention) const;
  /// The same for the tokens that follow those in the cache; their keys and values are added to it.
  /// Without gradients only. Throws: as above, for cache and ids together; GraphError while
  /// gradients are recorded.
  Tensor forward(const Tensor& ids, GptCache& cache) const;
  using Model::operator();
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  std::int64_t vocab_size() const override { return config_.vocab_size; }
  std::int64_t context() const override { return config_.block_size; }
  std::unique_ptr<Memory> new_memory() const override { return std::make_unique<GptCache>(); }
  Tensor next_logits(const Tensor& ids, Memory& memory) const override;

  const GptConfig& config() const { return config_; }  ///< as it was built

 private:
  /// Everything below the head, under the name nanoGPT gives it.
  struct Transformer : Module {
    explicit Transformer(const GptConfig& config);
    Tensor forward(const Tensor& ids, GptCache* cache, std::vector<Tensor>* attention) const;

    const GptConfig& config;
    Child<Embedding> wte;
    OptionalChild<Embedding> wpe;
    Child<Dropout> drop;
    ModuleList<Block> h;
    OptionalChild<Norm> ln_f;
  };

  Tensor forward_impl(const Tensor& ids, GptCache* cache, bool last_only,
                      std::vector<Tensor>* attention = nullptr) const;

  GptConfig config_;
  Child<Transformer> transformer;
  Child<Linear> lm_head;
};

}  // namespace weft::nn
