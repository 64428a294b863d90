// What the configurations of all transformers share, by the names of their fields. C is GptConfig,
// VitConfig, ... . Not for users.
#pragma once

#include <cmath>

#include "nn/block.h"
#include "nn/check.h"

namespace weft::nn {

template <class C>
const C& checked(const C& config) {
  config.validate();
  return config;
}

/// Width, layers, heads, feed-forward and probabilities.
template <class C>
void check_transformer(const ConfigCheck& check, const C& config) {
  check.size("n_layer", config.n_layer, kMaxLayers);
  check.size("n_embd", config.n_embd, kMaxWidth);
  check.heads(config.n_embd, config.n_head, config.n_kv_head, config.head_size, config.positions);
  check.feed_forward(config.n_embd, config.mlp_ratio);
  if (!traits(config.attention).scores && config.positions == Positions::alibi)
    check.fail("alibi is added to scores, and " + std::string(to_name(config.attention)) +
               " attention has none; use none, learned, sinusoidal or rope");
  check.probability("dropout", config.dropout);
  check.probability("attention_dropout", config.attention_dropout);
  check.above_zero("rope_base", config.rope_base);
  check.at_least_zero("init_std", config.init_std);
}

/// Of models whose tokens may not look ahead.
template <class C>
void check_causal(const ConfigCheck& check, const C& config) {
  if (!traits(config.attention).causal)
    check.fail(std::string(to_name(config.attention)) +
               " attention sees all tokens at once, also those to be predicted; use softmax");
}

template <class C>
/// Of the feed-forward layers.
std::int64_t hidden_size(const C& config) {
  return std::llround(config.mlp_ratio * static_cast<double>(config.n_embd));
}

template <class C>
init::Initializer weight_init(const C& config) {
  return config.init == InitScheme::gpt2 ? init::normal(config.init_std) : init::Initializer();
}

template <class C>
NormOptions norm_options(const C& config) {
  return {.kind = config.norm, .weight = config.norm_weight, .bias = config.bias};
}

/// Of layer `layer`: with lightning attention they differ.
template <class C>
BlockOptions block_options(const C& config, bool causal, Naming naming, std::int64_t layer = 0) {
  const init::Initializer weight = weight_init(config);
  init::Initializer proj = weight;
  if (config.zero_init_proj)
    proj = init::zeros();
  else if (config.init == InitScheme::gpt2)
    proj = init::scaled_residual(config.n_layer, config.init_std);
  return {.attention = {.n_embd = config.n_embd,
                        .n_head = config.n_head,
                        .kind = config.attention,
                        .n_kv_head = config.n_kv_head,
                        .head_size = config.head_size,
                        .causal = causal,
                        .bias = config.bias,
                        .decay = layer_decay(layer, config.n_layer),
                        .qk_norm = config.qk_norm,
                        .positions = config.positions,
                        .rope_base = config.rope_base,
                        .dropout = config.dropout,
                        .attention_dropout = config.attention_dropout,
                        .init = weight,
                        .proj_init = proj,
                        .naming = naming},
          .feed_forward = {.n_embd = config.n_embd,
                           .hidden = config.hidden_size(),
                           .activation = config.activation,
                           .bias = config.bias,
                           .dropout = config.dropout,
                           .init = weight,
                           .proj_init = proj,
                           .naming = naming},
          .norm = norm_options(config),
          .post_norm = config.post_norm};
}

}  // namespace weft::nn
