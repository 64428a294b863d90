#include "nn/attention.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/lightning.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/rope.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "core/math.h"
#include "nn/check.h"
#include "nn/cross_covariance_attention.h"
#include "nn/positions.h"
#include "nn/sigmoid_attention.h"

namespace weft::nn {
namespace {

constexpr double kTinyDivisor = 1e-6;  // no query divides by nothing

const MultiHeadAttentionOptions& checked(const MultiHeadAttentionOptions& options) {
  options.validate();
  return options;
}

/// (B, T, h D) -> (B, h, T, D), a view.
Tensor as_heads(const Tensor& x, std::int64_t head_size) {
  return transpose(reshape(x, {x.size(0), x.size(1), x.size(2) / head_size, head_size}), 1, 2);
}

/// weights (B, H, T, S) times v (B, Hk, S, D): the G = H / Hk query heads of a group are rows of
/// one product.
Tensor weighted_sum(const Tensor& weights, const Tensor& v) {
  const std::int64_t batch = weights.size(0), heads = weights.size(1), queries = weights.size(2),
                     keys = weights.size(3), groups = v.size(1);
  if (heads == groups) return matmul(weights, v);
  const Tensor rows = reshape(weights, {batch, groups, heads / groups * queries, keys});
  return reshape(matmul(rows, v), {batch, heads, queries, v.size(3)});
}

/// Room for `needed` positions; what is in use is kept.
void reserve(KvCache& cache, const Tensor& like, std::int64_t needed) {
  const std::int64_t capacity = cache.keys.defined() ? cache.keys.size(2) : 0;
  if (needed <= capacity) return;
  const Shape shape{like.size(0), like.size(1), std::max({needed, 2 * capacity, std::int64_t{16}}),
                    like.size(3)};
  for (Tensor* const stored : {&cache.keys, &cache.values}) {
    const Tensor larger = Tensor::empty(shape, like.dtype());
    if (cache.length > 0)
      raw::slice(larger, 2, 0, cache.length).copy_from(raw::slice(*stored, 2, 0, cache.length));
    *stored = larger;
  }
}

/// Appends k and v, and makes them handles on all that is cached.
void append(KvCache& cache, Tensor& k, Tensor& v) {
  if (wants_grad(k) || wants_grad(v))
    fail<GraphError>("attention", "a cache holds no gradients; call it under NoGrad");
  if (cache.length == 0) cache.keys = cache.values = Tensor();
  if (cache.length > 0 && (cache.keys.size(0) != k.size(0) || cache.keys.dtype() != k.dtype()))
    fail<ShapeError>("attention", "the cache holds a batch of {} in {}, the input has {} in {}",
                     cache.keys.size(0), name(cache.keys.dtype()), k.size(0), name(k.dtype()));
  const std::int64_t end = cache.length + k.size(2);
  reserve(cache, k, end);
  raw::slice(cache.keys, 2, cache.length, end).copy_from(k);
  raw::slice(cache.values, 2, cache.length, end).copy_from(v);
  cache.length = end;
  k = raw::slice(cache.keys, 2, 0, end);
  v = raw::slice(cache.values, 2, 0, end);
}

/// (B, Hk, T, D) -> (B, H, T, D), each head repeated for the queries that share it.
Tensor for_all_heads(const Tensor& x, std::int64_t heads) {
  if (x.size(1) == heads) return x;
  const Shape grouped{x.size(0), x.size(1), heads / x.size(1), x.size(2), x.size(3)};
  return reshape(expand(unsqueeze(x, 2), grouped), {x.size(0), heads, x.size(2), x.size(3)});
}

/// elu(x) + 1: x + 1 above 0, e^x below.
Tensor positive_features(const Tensor& x) {
  const Tensor above = relu(x), below = exp(-relu(-x));
  return above + below;
}

/// The cache's sum of k^T v, of zeros at its beginning.
Tensor state_of(KvCache* cache, const Tensor& q, const Tensor& v) {
  if (!cache) return Tensor();
  const Shape shape{q.size(0), q.size(1), q.size(3), v.size(3)};
  if (cache->length == 0) cache->state = Tensor::zeros(shape, q.dtype());
  if (cache->state.shape() != shape || cache->state.dtype() != q.dtype())
    fail<ShapeError>("attention", "the cache holds a batch of {} in {}, the input has {} in {}",
                     cache->state.size(0), name(cache->state.dtype()), q.size(0), name(q.dtype()));
  cache->length += q.size(2);
  return cache->state;
}

}  // namespace

double layer_decay(std::int64_t layer, std::int64_t n_layer) {
  return n_layer > 1 ? 1 - static_cast<double>(layer) / static_cast<double>(n_layer - 1) + 1e-5 : 1;
}

void MultiHeadAttentionOptions::validate() const {
  const ConfigCheck check("attention");
  check.size("n_embd", n_embd, kMaxWidth);
  check.heads(n_embd, n_head, n_kv_head, head_size, positions);
  if (context_embd != 0) check.size("context_embd", context_embd, kMaxWidth);
  if (context_embd != 0 &&
      (positions == Positions::rope || positions == Positions::alibi || causal))
    check.fail(
        "cross attention has no common order of positions: positions must be none and causal "
        "false");
  const std::string_view what = to_name(kind);
  if (!traits(kind).scores) {
    if (context_embd != 0)
      check.fail(fmt::format("cross attention needs scores, and {} attention has none; use softmax",
                             what));
    if (positions == Positions::alibi)
      check.fail(fmt::format(
          "alibi is added to scores, and {} attention has none; use none or rope", what));
    if (attention_dropout > 0)
      check.fail(
          fmt::format("{} attention has no weights to drop; attention_dropout must be 0", what));
    if (scale) check.fail(fmt::format("{} attention takes no scale", what));
  }
  if (causal && !traits(kind).causal)
    check.fail(fmt::format("{} attention sees all tokens at once and cannot be causal; use softmax",
                           what));
  check.at_least_zero("decay", decay);
  check.probability("dropout", dropout);
  check.probability("attention_dropout", attention_dropout);
  check.above_zero("rope_base", rope_base);
}

struct MultiHeadAttention::Heads {
  Tensor q, k, v;
};

MultiHeadAttention::MultiHeadAttention(const MultiHeadAttentionOptions& options)
    : Module("MultiHeadAttention"),
      options_(checked(options)),
      head_size_(options.head_size > 0 ? options.head_size : options.n_embd / options.n_head),
      kv_heads_(options.n_kv_head > 0 ? options.n_kv_head : options.n_head),
      qkv(options.context_embd == 0, *this, options.naming == Naming::timm ? "qkv" : "c_attn",
          options.n_embd, (options.n_head + 2 * kv_heads_) * head_size_,
          LinearOptions{.bias = options.bias, .init = options.init}),
      query(options.context_embd != 0, *this, options.naming == Naming::timm ? "q" : "c_q",
            options.n_embd, options.n_head * head_size_,
            LinearOptions{.bias = options.bias, .init = options.init}),
      key_value(options.context_embd != 0, *this, options.naming == Naming::timm ? "kv" : "c_kv",
                options.context_embd, 2 * kv_heads_ * head_size_,
                LinearOptions{.bias = options.bias, .init = options.init}),
      proj(*this, options.naming == Naming::timm ? "proj" : "c_proj", options.n_head * head_size_,
           options.n_embd,
           LinearOptions{.bias = options.bias, .init = options.proj_init.value_or(options.init)}),
      drop(*this, "resid_dropout", options.dropout),
      temperature(*this, "temperature", {options.n_head, 1, 1}, init::ones(),
                  options.kind == AttentionKind::channels) {}

MultiHeadAttention::Heads MultiHeadAttention::project(const Tensor& x,
                                                      const AttentionCall& call) const {
  const std::int64_t q_width = options_.n_head * head_size_, kv_width = kv_heads_ * head_size_;
  std::vector<Tensor> parts;
  if (qkv) {
    parts = split(qkv(x), {q_width, kv_width, kv_width}, -1);
  } else {
    parts = split(key_value(call.context), {kv_width, kv_width}, -1);
    parts.insert(parts.begin(), query(x));
  }
  Heads heads{as_heads(parts[0], head_size_), as_heads(parts[1], head_size_),
              as_heads(parts[2], head_size_)};
  if (options_.qk_norm) {
    heads.q = rms_norm(heads.q);
    heads.k = rms_norm(heads.k);
  }
  if (options_.positions == Positions::rope) {
    const std::int64_t first = call.cache ? call.cache->length : 0;
    heads.q = rope(heads.q, first, options_.rope_base);
    heads.k = rope(heads.k, first, options_.rope_base);
  }
  return heads;
}

Tensor MultiHeadAttention::bias(const Tensor& mask, std::int64_t queries, std::int64_t keys,
                                DType dtype) const {
  const Tensor total = mask.defined() ? cast(mask, dtype) : Tensor();
  if (options_.positions != Positions::alibi) return total;
  const Tensor alibi = alibi_bias(options_.n_head, queries, keys, dtype);
  return total.defined() ? total + alibi : alibi;
}

Tensor MultiHeadAttention::scored(const Tensor& q, Tensor k, Tensor v,
                                  const AttentionCall& call) const {
  if (call.cache) append(*call.cache, k, v);
  const AttentionOptions how{.causal = options_.causal,
                             .key_padding = call.key_padding,
                             .bias = bias(call.mask, q.size(2), k.size(2), q.dtype()),
                             .scale = options_.scale};
  const double dropped = is_training() ? options_.attention_dropout : 0;
  const bool by_sigmoid = options_.kind == AttentionKind::sigmoid;
  if (by_sigmoid || dropped > 0 || call.weights) {
    const Tensor weights = by_sigmoid ? sigmoid_weights(q, k, how) : attention_weights(q, k, how);
    if (call.weights) *call.weights = weights;
    if (dropped > 0)
      return weighted_sum(dropout(weights, dropped, true, random::stream("dropout")), v);
    if (by_sigmoid) return weighted_sum(weights, v);
  }
  return options_.kind == AttentionKind::plain
             ? definition::scaled_dot_product_attention(q, k, v, how)
             : scaled_dot_product_attention(q, k, v, how);
}

Tensor MultiHeadAttention::running_sums(Tensor q, Tensor k, Tensor v,
                                        const AttentionCall& call) const {
  const std::string_view what = to_name(options_.kind);
  if (call.mask.defined())
    fail<ConfigError>("attention", "{} attention takes no mask on scores; pad keys, or use softmax",
                      what);
  if (call.weights)
    fail<ConfigError>("attention",
                      "{} attention has no weights to show; train with attention softmax", what);
  const bool lightning = options_.kind == AttentionKind::lightning;
  q = lightning ? silu(q) : positive_features(q);
  k = lightning ? silu(k) : positive_features(k);
  if (call.key_padding.defined())
    k = masked_fill(k, raw::reshape(call.key_padding, {k.size(0), 1, k.size(2), 1}), 0);
  k = for_all_heads(k, options_.n_head);
  v = for_all_heads(v, options_.n_head);
  LightningOptions how{.causal = options_.causal};
  if (lightning) {
    for (const double slope : alibi_slopes(options_.n_head))
      how.decay.push_back(math::exp(-slope * options_.decay));
    how.state = state_of(call.cache, q, v);
    return rms_norm(lightning_attention(q, k, v, how));
  }
  // A column of ones among the values sums up what to divide by.
  v = cat({v, Tensor::ones({v.size(0), v.size(1), v.size(2), 1}, v.dtype())}, -1);
  how.state = state_of(call.cache, q, v);
  const std::vector<Tensor> parts = split(lightning_attention(q, k, v, how), {head_size_, 1}, -1);
  return parts[0] / (parts[1] + kTinyDivisor);
}

Tensor MultiHeadAttention::between_channels(const Tensor& q, const Tensor& k, const Tensor& v,
                                            const AttentionCall& call) const {
  if (call.mask.defined() || call.key_padding.defined())
    fail<ConfigError>("attention",
                      "attention between channels takes no mask and no padding; use softmax");
  if (call.weights)
    fail<ConfigError>("attention",
                      "attention between channels has no weights of tokens to show; train with "
                      "attention softmax");
  if (call.cache) fail<ConfigError>("attention", "attention between channels takes no cache");
  return cross_covariance(q, for_all_heads(k, options_.n_head), for_all_heads(v, options_.n_head),
                          temperature);
}

Tensor MultiHeadAttention::forward(const Tensor& x, const AttentionCall& call) const {
  if (x.rank() != 3 || x.size(2) != options_.n_embd)
    fail<ShapeError>("attention", "expects (B, T, {}), got {}", options_.n_embd, x.shape().str());
  if (call.context.defined() && !key_value)
    fail<ConfigError>("attention",
                      "built for self-attention (context_embd 0), but given a context");
  if (!call.context.defined() && key_value)
    fail<ConfigError>("attention", "built for cross-attention, but given no context");
  if (call.context.defined() && (call.context.rank() != 3 || call.context.size(0) != x.size(0) ||
                                 call.context.size(2) != options_.context_embd))
    fail<ShapeError>("attention", "expects a context ({}, S, {}), got {}", x.size(0),
                     options_.context_embd, call.context.shape().str());
  if (call.cache && call.context.defined())
    fail<ConfigError>("attention", "cross attention takes no cache");

  auto [q, k, v] = project(x, call);
  const std::int64_t batch = x.size(0), queries = x.size(1), width = options_.n_head * head_size_;
  const Tensor heads = traits(options_.kind).scores               ? scored(q, k, v, call)
                       : options_.kind == AttentionKind::channels ? between_channels(q, k, v, call)
                                                                  : running_sums(q, k, v, call);
  return drop(proj(reshape(transpose(heads, 1, 2), {batch, queries, width})));
}

std::string MultiHeadAttention::details() const {
  std::string text = fmt::format("{} heads of {}", options_.n_head, head_size_);
  if (kv_heads_ != options_.n_head) text += fmt::format(", {} for keys", kv_heads_);
  if (options_.context_embd) text += ", cross";
  if (options_.causal) text += ", causal";
  if (options_.kind != AttentionKind::softmax) text += fmt::format(", {}", to_name(options_.kind));
  if (options_.qk_norm) text += ", qk-norm";
  if (options_.positions == Positions::rope || options_.positions == Positions::alibi)
    text += fmt::format(", {}", to_name(options_.positions));
  return text;
}

}  // namespace weft::nn
