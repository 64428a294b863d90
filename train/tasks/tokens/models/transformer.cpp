#include "nn/models/token_transformer.h"

#include "core/error.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {
namespace {

struct TokensTransformerChoices : RowOptions {
  std::int64_t layers = 1;
  std::int64_t heads = 4;
  std::int64_t width = 32;
  bool embed = true;
  std::string attention = "softmax";
  std::string projections = "full";
  bool feed_forward = true;
  std::string norm = "layer";
  std::string positions = "learned";
  std::string activation = "gelu_erf";
  double mlp_ratio = 4;
  double dropout = 0;

  void check() const override {
    if (projections == "diagonal" && attention != "softmax")
      fail<ConfigError>("config", "diagonal projections are for softmax attention, not {}",
                        attention);
  }
  std::int64_t width_granularity() const override { return embed ? heads : 1; }
  std::int64_t row_blocks(const std::string& name) const override {
    if (activation == "swiglu" && name.ends_with("fc1.weight")) return 2;
    return RowOptions::row_blocks(name);
  }
};

nn::TokenMixer mixer_of(const TokensTransformerChoices& c) {
  if (c.projections == "diagonal") return nn::TokenMixer::diagonal;
  if (c.attention == "linear") return nn::TokenMixer::linear;
  return c.attention == "channels" ? nn::TokenMixer::cross_covariance : nn::TokenMixer::full;
}

class TokensTransformerEntry
    : public TokensModelOf<TokensTransformerChoices, nn::TokenTransformer> {
 public:
  std::string name() const override { return "transformer"; }
  std::string about() const override { return "attention over tokens"; }

  const Fields& fields() const override {
    using C = TokensTransformerChoices;
    const auto no_embed = [](const C& c) { return c.embed ? "" : "no embed"; };
    const auto no_feed_forward = [](const C& c) { return c.feed_forward ? "" : "no feed_forward"; };
    static const Fields table = {
        {"one_token", "Model", &C::one_token, "the model gets a row as one token of all features"},
        {"layers", "Model", &C::layers, "transformer blocks", 1, 1000},
        {"heads", "Model", &C::heads, "attention heads", 1, 10000},
        Field{"width", "Model", &C::width,
              "size of the vector that represents a token (with embed)", 1, 100000}
            .idle_where<C>(no_embed),
        {"embed", "Model", &C::embed,
         "a linear layer takes a token's features to the width; without it attention works on the "
         "features as they are"},
        {"attention",
         "Model",
         &C::attention,
         "between tokens, with softmax or without (linear), or between channels (XCiT)",
         0,
         0,
         {"softmax", "linear", "channels"}},
        {"projections",
         "Model",
         &C::projections,
         "W_Q, W_K and W_V; diagonal ones mix no dimensions",
         0,
         0,
         {"full", "diagonal"}},
        {"feed_forward", "Model", &C::feed_forward, "feed-forward layers after attention"},
        {"norm",
         "Model",
         &C::norm,
         "before attention and feed-forward layers",
         0,
         0,
         {"none", "layer", "rms"}},
        {"positions",
         "Model",
         &C::positions,
         "a learned vector added to each token, or none",
         0,
         0,
         {"learned", "none"}},
        Field{"activation", "Model", &C::activation, "of the feed-forward layers", 0, 0,
              nn::choices<nn::Activation>()}
            .idle_where<C>(no_feed_forward),
        Field{"mlp_ratio", "Model", &C::mlp_ratio, "feed-forward size, as a multiple of width",
              0.01, 1000}
            .idle_where<C>(no_feed_forward),
        {"dropout", "Model", &C::dropout, "dropout: fraction of activations dropped in training", 0,
         0.99}};
    return table;
  }

 protected:
  nn::TokenTransformerConfig config(const TokensTransformerChoices& c,
                                    const RowFacts& rows) const override {
    return {.n_token = rows.tokens,
            .n_feature = rows.features,
            .embed = c.embed,
            .n_embd = c.width,
            .n_layer = c.layers,
            .n_head = c.heads,
            .mixer = mixer_of(c),
            .feed_forward = c.feed_forward,
            .mlp_ratio = c.mlp_ratio,
            .activation = nn::from_name<nn::Activation>(c.activation, "activation"),
            .norm = c.norm != "none",
            .norm_kind = c.norm == "rms" ? nn::NormKind::rms : nn::NormKind::layer,
            .positions = c.positions == "learned",
            .dropout = c.dropout};
  }
};

}  // namespace

const Entry& transformer_tokens_model() {
  static const TokensTransformerEntry entry;
  return entry;
}

}  // namespace weft::train
