#include "nn/models/token_transformer.h"

#include <cmath>

#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const TokenTransformerConfig& checked_token_transformer(const TokenTransformerConfig& config) {
  config.validate();
  return config;
}

std::unique_ptr<Norm> norm_of(const TokenTransformerConfig& c) {
  return c.norm ? make_norm(c.width(), {.kind = c.norm_kind}) : nullptr;
}

bool is_full(TokenMixer mixer) { return mixer == TokenMixer::full || mixer == TokenMixer::linear; }

}  // namespace

std::int64_t TokenTransformerConfig::hidden_size() const {
  return std::max<std::int64_t>(1, std::llround(mlp_ratio * static_cast<double>(width())));
}

void TokenTransformerConfig::validate() const {
  const ConfigCheck check("token_transformer");
  check.size("n_token", n_token, kMaxContext);
  check.size("n_feature", n_feature, kMaxWidth);
  check.size("n_class", n_class, kMaxVocabulary);
  if (embed) check.size("n_embd", n_embd, kMaxWidth);
  check.size("n_layer", n_layer, kMaxLayers);
  check.heads(width(), n_head, 0, 0, Positions::none);
  if (feed_forward) check.feed_forward(width(), mlp_ratio);
  check.at_least_zero("position_std", position_std);
  check.probability("dropout", dropout);
  check_fits<TokenTransformer>(check, *this);
}

TokenTransformer::Layer::Layer(const TokenTransformerConfig& c)
    : Module("TokenLayer"),
      norm1(c.norm, *this, "norm1", norm_of(c)),
      diagonal(c.mixer == TokenMixer::diagonal, *this, "attn", c.width(), c.n_head),
      full(is_full(c.mixer), *this, "attn",
           MultiHeadAttentionOptions{.n_embd = c.width(),
                                     .n_head = c.n_head,
                                     .kind = c.mixer == TokenMixer::linear ? AttentionKind::linear
                                                                           : AttentionKind::softmax,
                                     .dropout = c.dropout,
                                     .naming = Naming::timm}),
      channels(c.mixer == TokenMixer::cross_covariance, *this, "attn",
               CrossCovarianceAttentionOptions{.n_embd = c.width(), .n_head = c.n_head}),
      norm2(c.norm && c.feed_forward, *this, "norm2", norm_of(c)),
      mlp(c.feed_forward, *this, "mlp",
          FeedForwardOptions{.n_embd = c.width(),
                             .hidden = c.hidden_size(),
                             .activation = c.activation,
                             .dropout = c.dropout,
                             .naming = Naming::timm}) {}

Tensor TokenTransformer::Layer::mix(const Tensor& x) const {
  if (diagonal) return diagonal(x);
  return full ? full(x) : channels(x);
}

Tensor TokenTransformer::Layer::forward(const Tensor& x) const {
  const Tensor middle = x + mix(norm1 ? norm1(x) : x);
  if (!mlp) return middle;
  return middle + mlp(norm2 ? norm2(middle) : middle);
}

TokenTransformer::TokenTransformer(const TokenTransformerConfig& config)
    : Model("TokenTransformer"),
      config_(checked_token_transformer(config)),
      embed(config_.embed, *this, "embed", config_.n_feature, config_.n_embd),
      pos_embed(*this, "pos_embed", {1, config_.n_token, config_.width()},
                init::normal(config_.position_std), config_.positions),
      drop(*this, "dropout", config_.dropout),
      blocks(*this, "blocks"),
      head(*this, "head", config_.n_token * config_.width(), config_.n_class) {
  for (std::int64_t i = 0; i < config_.n_layer; ++i) blocks.emplace(config_);
}

Tensor TokenTransformer::forward(const Tensor& tokens) const {
  const TokenTransformerConfig& c = config_;
  if (tokens.rank() != 3 || tokens.size(1) != c.n_token || tokens.size(2) != c.n_feature)
    fail<ShapeError>("token_transformer", "expects (B, {}, {}), got {}", c.n_token, c.n_feature,
                     tokens.shape().str());
  Tensor x = embed ? embed(tokens) : tokens;
  if (pos_embed.defined()) x = x + pos_embed.get();
  x = drop(x);
  for (std::size_t i = 0; i < blocks.size(); ++i) x = blocks.call(i, x);
  return head(reshape(x, {x.size(0), c.n_token * c.width()}));
}

Tensor TokenTransformer::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.n_token, config_.n_feature}, dtype());
}

std::string TokenTransformer::details() const {
  return fmt::format("{} layers, {} heads, {} tokens of {} features, width {}", config_.n_layer,
                     config_.n_head, config_.n_token, config_.n_feature, config_.width());
}

}  // namespace weft::nn
