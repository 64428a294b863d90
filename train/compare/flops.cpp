#include "train/compare/flops.h"

namespace weft::compare {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

/// Transformer blocks over `tokens` tokens: query, key and value; the attention; its projection; the feed-forward layers, gated or not.
template <class C>
double blocks_flops(const C& c, double tokens) {
  const double width = real(c.n_embd), head = real(c.resolved_head_size()), heads = real(c.n_head), hidden = real(c.hidden_size());
  const double gates = c.activation == nn::Activation::swiglu ? 2 : 1;
  const bool sums = c.attention == nn::AttentionKind::lightning || c.attention == nn::AttentionKind::linear;
  const double divisor = c.attention == nn::AttentionKind::linear ? 1 : 0;
  const double mixing = sums ? running_sum_flops(heads, tokens, head, head + divisor) : attention_flops(heads, tokens, tokens, head);
  const double block = linear_flops(tokens, width, (heads + 2 * real(c.resolved_kv_heads())) * head) + mixing +
                       linear_flops(tokens, heads * head, width) + linear_flops(tokens, width, gates * hidden) + linear_flops(tokens, hidden, width);
  return real(c.n_layer) * block;
}

}  // namespace

double linear_flops(double rows, double in, double out) { return 2 * rows * in * out; }

double attention_flops(double heads, double queries, double keys, double head_size) { return 4 * heads * queries * keys * head_size; }

double running_sum_flops(double heads, double tokens, double head_size, double value_size) { return 4 * heads * tokens * head_size * value_size; }

double forward_flops(const nn::GptConfig& c, std::int64_t tokens) {
  const double t = real(tokens > 0 ? tokens : c.block_size);
  return blocks_flops(c, t) + linear_flops(t, real(c.n_embd), real(c.vocab_size));
}

double forward_flops(const nn::VitConfig& c) {
  const double patch = real(c.channels * c.patch_size * c.patch_size);
  return linear_flops(real(c.n_patch()), patch, real(c.n_embd)) + blocks_flops(c, real(c.n_token())) + linear_flops(1, real(c.n_embd), real(c.n_class));
}

double forward_flops(const nn::MlpConfig& c) {
  double flops = 0, in = real(c.input_shape.numel());
  for (const std::int64_t out : c.hidden) {
    flops += linear_flops(1, in, real(out));
    in = real(out);
  }
  return flops + linear_flops(1, in, real(c.n_class));
}

double forward_flops(const nn::CnnConfig& c) {
  double flops = 0, in = real(c.channels);
  std::int64_t height = c.image_height, width = c.image_width;
  for (const std::int64_t out : c.widths) {  // the convolution keeps the size, the pooling halves it
    flops += linear_flops(real(height * width), in * real(c.kernel * c.kernel), real(out));
    in = real(out);
    height /= 2;
    width /= 2;
  }
  double features = real(c.n_feature());
  if (c.hidden > 0) {
    flops += linear_flops(1, features, real(c.hidden));
    features = real(c.hidden);
  }
  return flops + linear_flops(1, features, real(c.n_class));
}

double training_flops(double forward_flops_of_a_sample, double samples) { return 3 * forward_flops_of_a_sample * samples; }

}  // namespace weft::compare
