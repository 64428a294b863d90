#include "nn/models/bert.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops/attention.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/indexing.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const BertConfig& checked_bert(const BertConfig& config) {
  config.validate();
  return config;
}

std::int64_t hidden_of(const BertConfig& c) {
  return std::llround(c.mlp_ratio * static_cast<double>(c.n_embd));
}

LinearOptions bert_linear(const BertConfig& c) {
  return {.bias = true, .init = init::normal(c.init_std)};
}
LayerNormOptions bert_norm(const BertConfig& c) { return {.eps = c.norm_eps}; }

/// (B, T, C) -> (B, H, T, D), a view.
Tensor by_heads(const Tensor& x, std::int64_t heads) {
  return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}

}  // namespace

void BertConfig::validate() const {
  const ConfigCheck check("bert");
  check.size("vocab_size", vocab_size, kMaxVocabulary);
  check.size("block_size", block_size, kMaxContext);
  check.size("n_layer", n_layer, kMaxLayers);
  check.size("n_embd", n_embd, kMaxWidth);
  check.heads(n_embd, n_head, 0, 0, Positions::learned);
  check.feed_forward(n_embd, mlp_ratio);
  check.probability("dropout", dropout);
  check.size("n_segment", n_segment, kMaxWidth);
  if (pad_id < 0 || pad_id >= vocab_size)
    check.fail(fmt::format("pad_id must be an id of the vocabulary, 0 to {}, got {}",
                           vocab_size - 1, pad_id));
  if (n_class != 0) check.size("n_class", n_class, kMaxVocabulary);
  check.at_least_zero("init_std", init_std);
  check.above_zero("norm_eps", norm_eps);
  check_fits<Bert>(check, *this);
}

Bert::Output::Output(const BertConfig& c, std::int64_t in)
    : Module("Output"),
      dense(*this, "dense", in, c.n_embd, bert_linear(c)),
      dropout(*this, "dropout", c.dropout),
      norm(*this, "LayerNorm", c.n_embd, bert_norm(c)) {}

Tensor Bert::Output::forward(const Tensor& x, const Tensor& before) const {
  return norm(dropout(dense(x)) + before);
}

Bert::SelfAttention::SelfAttention(const BertConfig& c)
    : Module("SelfAttention"),
      heads(c.n_head),
      query(*this, "query", c.n_embd, c.n_embd, bert_linear(c)),
      key(*this, "key", c.n_embd, c.n_embd, bert_linear(c)),
      value(*this, "value", c.n_embd, c.n_embd, bert_linear(c)) {}

Tensor Bert::SelfAttention::forward(const Tensor& x, const Tensor& padding, Tensor* weights) const {
  const Tensor q = by_heads(query(x), heads), k = by_heads(key(x), heads),
               v = by_heads(value(x), heads);
  const AttentionOptions options{.key_padding = padding};
  if (weights != nullptr) *weights = attention_weights(q, k, options);
  return reshape(transpose(scaled_dot_product_attention(q, k, v, options), 1, 2), x.shape());
}

Bert::Attention::Attention(const BertConfig& c)
    : Module("Attention"), self(*this, "self", c), output(*this, "output", c, c.n_embd) {}

Bert::Dense::Dense(std::int64_t in, std::int64_t out, double init_std)
    : Module("Dense"),
      dense(*this, "dense", in, out, LinearOptions{.init = init::normal(init_std)}) {}

Bert::Layer::Layer(const BertConfig& c)
    : Module("Layer"),
      attention(*this, "attention", c),
      intermediate(*this, "intermediate", c.n_embd, hidden_of(c), c.init_std),
      output(*this, "output", c, hidden_of(c)) {}

Tensor Bert::Layer::forward(const Tensor& x, const Tensor& padding, Tensor* weights) const {
  const Tensor middle = attention->output(attention->self(x, padding, weights), x);
  return output(gelu(intermediate->dense(middle)), middle);
}

Bert::Encoder::Encoder(const BertConfig& c) : Module("Encoder"), layer(*this, "layer") {
  for (std::int64_t i = 0; i < c.n_layer; ++i) layer.emplace(c);
}

Bert::Embeddings::Embeddings(const BertConfig& c)
    : Module("Embeddings"),
      word(*this, "word_embeddings", c.vocab_size, c.n_embd, init::normal(c.init_std)),
      position(*this, "position_embeddings", c.block_size, c.n_embd, init::normal(c.init_std)),
      token_type(*this, "token_type_embeddings", c.n_segment, c.n_embd, init::normal(c.init_std)),
      norm(*this, "LayerNorm", c.n_embd, bert_norm(c)),
      dropout(*this, "dropout", c.dropout) {}

Tensor Bert::Embeddings::forward(const Tensor& ids) const {
  const Tensor places = slice(position->weight, 0, 0, ids.size(1)),
               segment = select(token_type->weight, 0, 0);
  return dropout(norm(word(ids) + (places + segment)));
}

Bert::Backbone::Backbone(const BertConfig& c)
    : Module("BertModel"),
      embeddings(*this, "embeddings", c),
      encoder(*this, "encoder", c),
      pooler(c.n_class > 0, *this, "pooler", c.n_embd, c.n_embd, c.init_std) {}

Bert::Transform::Transform(const BertConfig& c)
    : Module("Transform"),
      dense(*this, "dense", c.n_embd, c.n_embd, bert_linear(c)),
      norm(*this, "LayerNorm", c.n_embd, bert_norm(c)) {}

Bert::Predictions::Predictions(const BertConfig& c, const Parameter& words)
    : Module("Predictions"),
      bias(*this, "bias", {c.vocab_size}, init::zeros()),
      transform(*this, "transform", c),
      decoder(*this, "decoder", c.n_embd, c.vocab_size,
              LinearOptions{.bias = false, .tied = &words}) {}

Bert::Heads::Heads(const BertConfig& c, const Parameter& words)
    : Module("Heads"), predictions(*this, "predictions", c, words) {}

Bert::Bert(const BertConfig& config)
    : Model("Bert"),
      config_(checked_bert(config)),
      bert(*this, "bert", config_),
      cls(config_.has_token_head(), *this, "cls", config_, bert->embeddings->word->weight),
      drop(config_.n_class > 0, *this, "dropout", config_.dropout),
      classifier(config_.n_class > 0, *this, "classifier", config_.n_embd, config_.n_class,
                 bert_linear(config_)) {}

Tensor Bert::encode(const Tensor& ids, std::vector<Tensor>* attention) const {
  if (ids.rank() != 2 || ids.size(1) < 1)
    fail<ShapeError>("bert", "expects ids (B, T), got {}", ids.shape().str());
  if (ids.size(1) > config_.block_size)
    fail<ShapeError>("bert",
                     "{} tokens are more than block_size {}, and learned positions end there",
                     ids.size(1), config_.block_size);
  const Tensor padding =
      equal(ids, Tensor::full({}, static_cast<double>(config_.pad_id), ids.dtype()));
  Tensor x = bert->embeddings(ids);
  auto& layers = bert->encoder->layer;
  if (attention != nullptr) attention->assign(layers.size(), Tensor());
  for (std::size_t i = 0; i < layers.size(); ++i)
    x = layers.call(i, x, padding, attention != nullptr ? &(*attention)[i] : nullptr);
  return x;
}

Tensor Bert::predict_tokens(const Tensor& hidden, const Tensor& positions) const {
  if (!cls)
    fail<ConfigError>(
        "bert",
        "built with a classifier of {} classes and without a token head: it predicts no tokens",
        config_.n_class);
  const Tensor rows = reshape(hidden, {-1, config_.n_embd});
  const Predictions& head = *cls->predictions;
  const Tensor chosen = positions.defined() ? index_select(rows, 0, positions) : rows;
  return head.decoder(head.transform->norm(gelu(head.transform->dense(chosen)))) + head.bias.get();
}

Tensor Bert::forward(const Tensor& ids) const {
  const Tensor hidden = encode(ids);
  if (!classifier)
    return reshape(predict_tokens(hidden, Tensor()),
                   {ids.size(0), ids.size(1), config_.vocab_size});
  return classifier(drop(tanh(bert->pooler->dense(select(hidden, 1, 0)))));
}

Tensor Bert::example_input(std::int64_t batch) const {
  return Tensor::full({batch, config_.block_size},
                      config_.vocab_size > 1 && config_.pad_id == 0 ? 1 : 0, DType::i64);
}

std::string Bert::details() const {
  return fmt::format("{} layers, {} heads, width {}, {} positions, {}", config_.n_layer,
                     config_.n_head, config_.n_embd, config_.block_size,
                     config_.n_class > 0 ? fmt::format("{} classes", config_.n_class)
                                         : fmt::format("vocabulary {}", config_.vocab_size));
}

}  // namespace weft::nn
