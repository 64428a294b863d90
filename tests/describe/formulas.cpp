#include "tests/describe/formulas.h"

namespace weft::formulas {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

/// Transformer blocks over `tokens` tokens: query, key and value; the attention; its projection;
/// the feed-forward layers, gated or not.
template <class C>
double blocks_flops(const C& c, double tokens) {
  const double width = real(c.n_embd), head = real(c.resolved_head_size()), heads = real(c.n_head),
               hidden = real(c.hidden_size());
  const double gates = c.activation == nn::Activation::swiglu ? 2 : 1;
  const double divisor = c.attention == nn::AttentionKind::linear ? 1 : 0;
  const double mixing = nn::traits(c.attention).scores
                            ? attention_flops(heads, tokens, tokens, head)
                            : running_sum_flops(heads, tokens, head, head + divisor);
  const double block =
      linear_flops(tokens, width, (heads + 2 * real(c.resolved_kv_heads())) * head) + mixing +
      linear_flops(tokens, heads * head, width) + linear_flops(tokens, width, gates * hidden) +
      linear_flops(tokens, hidden, width);
  return real(c.n_layer) * block;
}

/// Feed-forward layers of one token.
double feed_forward_flops(nn::Activation activation, double width, double hidden) {
  return linear_flops(1, width, (activation == nn::Activation::swiglu ? 2 : 1) * hidden) +
         linear_flops(1, hidden, width);
}

}  // namespace

double linear_flops(double rows, double in, double out) { return 2 * rows * in * out; }

double attention_flops(double heads, double queries, double keys, double head_size) {
  return 4 * heads * queries * keys * head_size;
}

double running_sum_flops(double heads, double tokens, double head_size, double value_size) {
  return 4 * heads * tokens * head_size * value_size;
}

double forward_flops(const nn::GptConfig& c, std::int64_t tokens) {
  const double t = real(tokens > 0 ? tokens : c.block_size);
  return blocks_flops(c, t) + linear_flops(t, real(c.n_embd), real(c.vocab_size));
}

double forward_flops(const nn::EncoderDecoderConfig& c) {
  const double source = real(c.source_size), target = real(c.block_size), width = real(c.n_embd);
  const double heads = real(c.n_head), head = real(c.resolved_head_size()),
               keys = real(c.resolved_kv_heads()) * head;
  const double across =
      linear_flops(target, width, heads * head) + linear_flops(source, width, 2 * keys) +
      attention_flops(heads, target, source, head) + linear_flops(target, heads * head, width);
  return blocks_flops(c, source) + blocks_flops(c, target) + real(c.n_layer) * across +
         linear_flops(target, width, real(c.vocab_size));
}

double forward_flops(const nn::VitConfig& c) {
  const double patch = real(c.channels * c.patch_size * c.patch_size);
  return linear_flops(real(c.n_patch()), patch, real(c.n_embd)) +
         blocks_flops(c, real(c.n_token())) + linear_flops(1, real(c.n_embd), real(c.n_class));
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
  for (const std::int64_t out :
       c.widths) {  // the convolution keeps the size, the pooling halves it
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

double forward_flops(const nn::TokenTransformerConfig& c) {
  using nn::TokenMixer;
  const double t = real(c.n_token), width = real(c.width()), heads = real(c.n_head),
               size = width / heads;
  double layer = c.mixer == TokenMixer::diagonal
                     ? 0
                     : linear_flops(t, width, 3 * width) + linear_flops(t, width, width);
  if (c.mixer == TokenMixer::diagonal || c.mixer == TokenMixer::full)
    layer += attention_flops(heads, t, t, size);
  else
    layer +=
        running_sum_flops(heads, t, size,
                          size + (c.mixer == TokenMixer::linear
                                      ? 1
                                      : 0));  // between channels: as many products, the other way
  if (c.feed_forward) layer += t * feed_forward_flops(c.activation, width, real(c.hidden_size()));
  return (c.embed ? linear_flops(t, real(c.n_feature), width) : 0) + real(c.n_layer) * layer +
         linear_flops(1, t * width, real(c.n_class));
}

double forward_flops(const nn::FtTransformerConfig& c) {
  const double t = real(c.n_column()) + 1, width = real(c.n_embd);
  const double block = linear_flops(t, width, 4 * width) +
                       attention_flops(real(c.n_head), t, t, width / real(c.n_head)) +
                       t * feed_forward_flops(c.activation, width, real(c.hidden_size()));
  return real(c.n_layer) * block + linear_flops(1, width, real(c.n_class));
}

double forward_flops(const nn::TokenCnnConfig& c) {
  double flops = 0, in = real(c.n_feature);
  for (const std::int64_t out : c.widths) {
    flops += linear_flops(real(c.n_token), in * real(c.kernel), real(out));
    in = real(out);
  }
  return flops + linear_flops(1, real(c.n_token) * in, real(c.n_class));
}

double forward_flops(const nn::FactorizationMachineConfig& c) {
  return linear_flops(1, real(c.input_shape.numel()),
                      2 + real(c.n_factor));  // the weights, the squares and the factors
}

double forward_flops(const nn::LenetConfig& c) {
  const double first = real(c.image_height * c.image_width),
               second = real((c.image_height / 2 - 4) * (c.image_width / 2 - 4));
  return linear_flops(first, 25 * real(c.channels), 6) + linear_flops(second, 25 * 6, 16) +
         linear_flops(1, 16 * real(c.feature_height() * c.feature_width()), 120) +
         linear_flops(1, 120, 84) + linear_flops(1, 84, real(c.n_class));
}

double forward_flops(const nn::ResnetConfig& c) {
  double flops =
      linear_flops(real(c.image_height * c.image_width), 9 * real(c.channels), real(c.width));
  std::int64_t height = c.image_height, width = c.image_width;
  double in = real(c.width);
  for (int stage = 0; stage < 3; ++stage) {
    const double out = real(c.width << stage);
    if (stage > 0) height = (height + 1) / 2, width = (width + 1) / 2;
    const double pixels = real(height * width);
    flops += linear_flops(pixels, 9 * in, out) +
             (2 * real(c.blocks) - 1) * linear_flops(pixels, 9 * out, out) +
             (in == out ? 0 : linear_flops(pixels, in, out));
    in = out;
  }
  return flops + linear_flops(1, in, real(c.n_class));
}

}  // namespace weft::formulas
