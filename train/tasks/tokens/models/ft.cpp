#include "core/error.h"
#include "nn/models/ft_transformer.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {
namespace {

struct TokensFtChoices : RowOptions {
  std::int64_t layers = 1;
  std::int64_t heads = 4;
  std::int64_t width = 32;
  std::string norm = "layer";
  std::string activation = "gelu_erf";
  double mlp_ratio = 2;
  double dropout = 0;

  void check() const override {
    if (norm == "none")
      fail<ConfigError>("config", "ft has norms: norm must be layer or rms, got none");
  }
  std::int64_t width_granularity() const override { return heads; }
  std::int64_t row_blocks(const std::string& name) const override {
    if (activation == "swiglu" && name.ends_with("fc1.weight")) return 2;
    return RowOptions::row_blocks(name);
  }
};

class TokensFtEntry : public TokensModelOf<TokensFtChoices, nn::FtTransformer> {
 public:
  std::string name() const override { return "ft"; }
  std::string about() const override { return "attention over single features (FT-Transformer)"; }

  const Fields& fields() const override {
    using C = TokensFtChoices;
    static const Fields table = {
        {"layers", "Model", &C::layers, "transformer blocks", 1, 1000},
        {"heads", "Model", &C::heads, "attention heads", 1, 10000},
        {"width", "Model", &C::width, "size of the vector that represents a feature", 1, 100000},
        {"norm",
         "Model",
         &C::norm,
         "before attention and feed-forward layers",
         0,
         0,
         {"layer", "rms", "none"}},
        {"activation", "Model", &C::activation, "of the feed-forward layers", 0, 0,
         nn::choices<nn::Activation>()},
        {"mlp_ratio", "Model", &C::mlp_ratio, "feed-forward size, as a multiple of width", 0.01,
         1000},
        {"dropout", "Model", &C::dropout, "dropout: fraction of activations dropped in training", 0,
         0.99}};
    return table;
  }

 protected:
  nn::FtTransformerConfig config(const TokensFtChoices& c, const RowFacts& rows) const override {
    return {.input_shape = Shape{rows.tokens, rows.features},
            .n_layer = c.layers,
            .n_head = c.heads,
            .n_embd = c.width,
            .mlp_ratio = c.mlp_ratio,
            .activation = nn::from_name<nn::Activation>(c.activation, "activation"),
            .norm = c.norm == "rms" ? nn::NormKind::rms : nn::NormKind::layer,
            .dropout = c.dropout};
  }
};

}  // namespace

const Entry& ft_tokens_model() {
  static const TokensFtEntry entry;
  return entry;
}

}  // namespace weft::train
