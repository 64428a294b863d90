#include "nn/models/encoder_decoder.h"

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "nn/models/transformer_config.h"
#include "nn/positions.h"

namespace weft::nn {
namespace {

init::Initializer embedding_init(const EncoderDecoderConfig& config) {
  return init::normal(1 / std::sqrt(static_cast<double>(config.n_embd)));
}

LinearOptions output_options(const EncoderDecoderConfig& config, const Embedding& wte) {
  if (config.tie_weights) return {.bias = false, .tied = &wte.weight};
  return {.bias = false, .init = config.zero_init_proj ? init::zeros() : weight_init(config)};
}

/// From the decoder's own attention to the one that looks at the source.
MultiHeadAttentionOptions cross_options(MultiHeadAttentionOptions options) {
  options.context_embd = options.n_embd;
  options.causal = false;
  options.positions = Positions::none;
  if (!traits(options.kind).scores) options.kind = AttentionKind::softmax;
  return options;
}

}  // namespace

std::int64_t EncoderDecoderConfig::hidden_size() const { return nn::hidden_size(*this); }

void EncoderDecoderConfig::validate() const {
  const ConfigCheck check("encoder_decoder");
  check.size("vocab_size", vocab_size, kMaxVocabulary);
  check.size("source_size", source_size, kMaxContext);
  check.size("block_size", block_size, kMaxContext);
  check_transformer(check, *this);
  check_causal(check, *this);
  check_fits<EncoderDecoder>(check, *this);
}

DecoderBlock::DecoderBlock(const BlockOptions& block, const MultiHeadAttentionOptions& cross)
    : Module("DecoderBlock"),
      norm1(*this, "ln_1", make_norm(block.attention.n_embd, block.norm)),
      attn(*this, "attn", block.attention),
      norm2(*this, "ln_2", make_norm(block.attention.n_embd, block.norm)),
      cross_attn(*this, "cross_attn", cross),
      norm3(*this, "ln_3", make_norm(block.attention.n_embd, block.norm)),
      mlp(*this, "mlp", block.feed_forward),
      post_norm_(block.post_norm) {}

Tensor DecoderBlock::forward(const Tensor& x, const Tensor& memory, const Tensor& source_padding,
                             KvCache* cache, Tensor* cross_weights) const {
  const AttentionCall self{.cache = cache},
      across{.context = memory, .key_padding = source_padding, .weights = cross_weights};
  if (post_norm_) {
    const Tensor own = norm1(x + attn(x, self));
    const Tensor seen = norm2(own + cross_attn(own, across));
    return norm3(seen + mlp(seen));
  }
  const Tensor own = x + attn(norm1(x), self);
  const Tensor seen = own + cross_attn(norm2(own), across);
  return seen + mlp(norm3(seen));
}

EncoderDecoder::EncoderDecoder(const EncoderDecoderConfig& config)
    : Module("EncoderDecoder"),
      config_(checked(config)),
      wte(*this, "wte", config_.vocab_size, config_.n_embd, embedding_init(config_)),
      wpe_source(config_.positions == Positions::learned, *this, "wpe_source", config_.source_size,
                 config_.n_embd, embedding_init(config_)),
      wpe(config_.positions == Positions::learned, *this, "wpe", config_.block_size, config_.n_embd,
          embedding_init(config_)),
      drop(*this, "drop", config_.dropout),
      encoder(*this, "encoder"),
      encoder_norm(!config_.post_norm, *this, "encoder_norm",
                   make_norm(config_.n_embd, norm_options(config_))),
      decoder(*this, "decoder"),
      decoder_norm(!config_.post_norm, *this, "decoder_norm",
                   make_norm(config_.n_embd, norm_options(config_))),
      lm_head(*this, "lm_head", config_.n_embd, config_.vocab_size, output_options(config_, *wte)) {
  for (std::int64_t i = 0; i < config_.n_layer; ++i)
    encoder.emplace(block_options(config_, false, Naming::nanogpt, i));
  for (std::int64_t i = 0; i < config_.n_layer; ++i) {
    const BlockOptions block = block_options(config_, true, Naming::nanogpt, i);
    decoder.emplace(block, cross_options(block.attention));
  }
}

Tensor EncoderDecoder::embed(const Tensor& ids, const OptionalChild<Embedding>& places,
                             std::int64_t first, std::int64_t most, const char* what) const {
  if (ids.rank() != 2)
    fail<ShapeError>("encoder_decoder", "expects {} ids (B, T), got {}", what, ids.shape().str());
  const std::int64_t end = first + ids.size(1);
  if (end > most)
    fail<ShapeError>("encoder_decoder", "a {} of {} tokens is longer than {}", what, end, most);
  Tensor x = wte(ids) * std::sqrt(static_cast<double>(config_.n_embd));
  if (places) x = x + slice(places->weight, 0, first, end);
  if (config_.positions == Positions::sinusoidal)
    x = x + raw::slice(sinusoidal_positions(most, config_.n_embd, x.dtype()), 0, first, end);
  return drop(x);
}

Tensor EncoderDecoder::encode(const Tensor& source, const Tensor& source_padding) const {
  Tensor x = embed(source, wpe_source, 0, config_.source_size, "source");
  for (std::size_t i = 0; i < encoder.size(); ++i)
    x = encoder[i](x, {.key_padding = source_padding});
  return encoder_norm ? encoder_norm(x) : x;
}

Tensor EncoderDecoder::decode(const Tensor& target, const Tensor& memory,
                              const Tensor& source_padding, std::vector<KvCache>* caches,
                              std::vector<Tensor>* cross_weights) const {
  if (caches && caches->empty()) caches->resize(decoder.size());
  if (cross_weights) cross_weights->assign(decoder.size(), Tensor());
  Tensor x = embed(target, wpe, caches ? caches->front().length : 0, config_.block_size, "target");
  for (std::size_t i = 0; i < decoder.size(); ++i)
    x = decoder.call(i, x, memory, source_padding, caches ? &(*caches)[i] : nullptr,
                     cross_weights ? &(*cross_weights)[i] : nullptr);
  return lm_head(decoder_norm ? decoder_norm(x) : x);
}

Tensor EncoderDecoder::forward(const Tensor& source, const Tensor& target,
                               const Tensor& source_padding) const {
  return decode(target, encode(source, source_padding), source_padding);
}

std::string EncoderDecoder::details() const {
  return fmt::format("{} + {} layers, {} heads, width {}, {} to {} tokens, vocabulary {}",
                     config_.n_layer, config_.n_layer, config_.n_head, config_.n_embd,
                     config_.source_size, config_.block_size, config_.vocab_size);
}

}  // namespace weft::nn
