// GPT: a decoder-only transformer over ids, with nanoGPT's parameter names.
#pragma once

#include <functional>
#include <vector>

#include "core/random.h"
#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/model.h"

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
class GptCache {
 public:
  /// Tokens that it holds.
  std::int64_t length() const { return layers.empty() ? 0 : layers.front().length; }
  /// Forgets all tokens.
  void clear() {
    for (KvCache& layer : layers) layer.length = 0;
  }
  std::vector<KvCache> layers;
};

struct GenerateOptions {
  std::int64_t max_new_tokens = 100;
  double temperature = 1;  ///< 0: always the likeliest
  std::int64_t top_k = 0;  ///< only the k likeliest; 0: all
  double top_p = 1;  ///< only the likeliest that together reach p. Source: Holtzman et al. 2019
                     ///< (arXiv 1904.09751), section 3.1
  /// Tokens the model still sees once the context was full, computed anew so that their positions
  /// begin at 0 again; 0: half of it. block_size: the context slides token by token, and each token
  /// costs a whole context.
  std::int64_t keep = 0;
  std::vector<std::int64_t>
      forbidden{};  ///< ids that are never chosen: padding, masks, unknown words
  /// Throws ConfigError.
  void validate() const;
};

class Gpt : public Model {
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

  /// Continues `prompt`, and returns only what is new. The model sees from `keep` to block_size of
  /// the last tokens, with their keys and values cached. `on_token` hears of each token at once,
  /// and stops the generation by returning false. Draws from `generator`, by default the stream
  /// `sample`. Dropout is off meanwhile. Throws: ConfigError for an empty prompt or impossible
  /// options, IndexError for ids outside the vocabulary.
  std::vector<std::int64_t> generate(const std::vector<std::int64_t>& prompt,
                                     const GenerateOptions& options = {},
                                     const std::function<bool(std::int64_t)>& on_token = nullptr,
                                     Generator* generator = nullptr);

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

/// One id drawn from logits (V,) by the options. Throws ConfigError for a forbidden id that is
/// none, NumericError where nothing can be chosen.
std::int64_t sample_id(const Tensor& logits, const GenerateOptions& options, Generator& generator);

}  // namespace weft::nn
