// BERT: a bidirectional encoder over word pieces, with the parameter names of the original.
#pragma once

#include <vector>

#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/model.h"

namespace weft::nn {

/// The defaults are BERT's form at a size for two cores (BERT-base: 12 layers, 12 heads, width 768,
/// 512 positions, 30,522 pieces).
struct BertConfig {
  std::int64_t vocab_size = 0;    ///< must be given
  std::int64_t block_size = 128;  ///< positions
  std::int64_t n_layer = 2;
  std::int64_t n_head = 4;
  std::int64_t n_embd = 128;
  double mlp_ratio = 4;
  double dropout =
      0.1;  ///< of embeddings and of both sublayers' outputs (not of attention weights)
  std::int64_t n_segment = 2;  ///< rows of token_type_embeddings; all tokens here are of the first
  std::int64_t pad_id = 0;     ///< tokens that nobody attends to
  std::int64_t n_class = 0;    ///< above 0: a classifier on [CLS] (fine-tuning); 0: the
                               ///< masked-language-model head alone (pretraining)
  bool token_head = false;     ///< the masked-language-model head beside a classifier, for a model
                               ///< that is pretrained and fine-tuned in one run
  double init_std = 0.02;
  double norm_eps = 1e-12;

  /// Throws ConfigError that names the field, its value and what it may be, and for more parameters
  /// than memory holds.
  void validate() const;
  /// Whether it predicts tokens.
  bool has_token_head() const { return n_class == 0 || token_head; }
};

/// Post-norm layers, exact GELU, learned positions; the decoder of the masked-language-model head
/// is tied to the word embeddings. Without the next-sentence task, which adds nothing (Liu et al.
/// 2019, arXiv 1907.11692, table 2). Parameters:
/// bert.embeddings.{word,position,token_type}_embeddings, bert.embeddings.LayerNorm,
/// bert.encoder.layer.N.attention.self.{query,key,value}, .attention.output.{dense,LayerNorm},
/// .intermediate.dense, .output.{dense,LayerNorm}; then
/// cls.predictions.{bias,transform.dense,transform.LayerNorm, decoder}, or bert.pooler.dense and
/// classifier. Source: Devlin et al. 2018 (arXiv 1810.04805), section 3.
class Bert : public Model {
 public:
  /// Throws ConfigError from config.validate().
  explicit Bert(const BertConfig& config);

  /// Shape: ids (B, T), T at most block_size, pad_id behind shorter rows -> (B, n_class), or (B, T,
  /// V) without a classifier. Throws: ShapeError, IndexError for an id outside the vocabulary.
  Tensor forward(const Tensor& ids) const override;
  /// The encoder alone. Shape: ids (B, T) -> (B, T, C). Also gives each layer's attention weights,
  /// (B, heads, T, T), where wanted.
  Tensor encode(const Tensor& ids, std::vector<Tensor>* attention = nullptr) const;
  /// Logits of some positions only, which spares the vocabulary's product for all others. Shape:
  /// hidden (B, T, C), positions (N,) in 0 .. B T - 1 -> (N, V). Throws: ConfigError for a model
  /// without that head.
  Tensor predict_tokens(const Tensor& hidden, const Tensor& positions) const;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const BertConfig& config() const { return config_; }  ///< as it was built

 private:
  /// dense, dropout, and the norm of its sum with what came before.
  struct Output : Module {
    Output(const BertConfig& config, std::int64_t in);
    Tensor forward(const Tensor& x, const Tensor& before) const;
    Child<Linear> dense;
    Child<Dropout> dropout;
    Child<LayerNorm> norm;
  };
  struct SelfAttention : Module {
    explicit SelfAttention(const BertConfig& config);
    Tensor forward(const Tensor& x, const Tensor& padding, Tensor* weights) const;
    std::int64_t heads;
    Child<Linear> query, key, value;
  };
  struct Attention : Module {
    explicit Attention(const BertConfig& config);
    Child<SelfAttention> self;
    Child<Output> output;
  };
  struct Dense : Module {
    Dense(std::int64_t in, std::int64_t out, double init_std);
    Child<Linear> dense;
  };
  struct Layer : Module {
    explicit Layer(const BertConfig& config);
    Tensor forward(const Tensor& x, const Tensor& padding, Tensor* weights) const;
    Child<Attention> attention;
    Child<Dense> intermediate;
    Child<Output> output;
  };
  struct Encoder : Module {
    explicit Encoder(const BertConfig& config);
    ModuleList<Layer> layer;
  };
  struct Embeddings : Module {
    explicit Embeddings(const BertConfig& config);
    Tensor forward(const Tensor& ids) const;
    Child<Embedding> word, position, token_type;
    Child<LayerNorm> norm;
    Child<Dropout> dropout;
  };
  struct Backbone : Module {
    explicit Backbone(const BertConfig& config);
    Child<Embeddings> embeddings;
    Child<Encoder> encoder;
    OptionalChild<Dense> pooler;
  };
  struct Transform : Module {
    explicit Transform(const BertConfig& config);
    Child<Linear> dense;
    Child<LayerNorm> norm;
  };
  struct Predictions : Module {
    Predictions(const BertConfig& config, const Parameter& words);
    Parameter bias;
    Child<Transform> transform;
    Child<Linear> decoder;
  };
  struct Heads : Module {
    Heads(const BertConfig& config, const Parameter& words);
    Child<Predictions> predictions;
  };

  BertConfig config_;
  Child<Backbone> bert;
  OptionalChild<Heads> cls;
  OptionalChild<Dropout> drop;
  OptionalChild<Linear> classifier;
};

}  // namespace weft::nn
