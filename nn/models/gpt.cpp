#include "nn/models/gpt.h"

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/models/transformer_config.h"
#include "nn/positions.h"

namespace weft::nn {
namespace {

LinearOptions head_options(const GptConfig& config, const Embedding& wte) {
  if (config.tie_weights) return {.bias = false, .tied = &wte.weight};
  return {.bias = false, .init = config.zero_init_proj ? init::zeros() : weight_init(config)};
}

}  // namespace

std::int64_t GptConfig::hidden_size() const { return nn::hidden_size(*this); }

void GptConfig::validate() const {
  const ConfigCheck check("gpt");
  check.size("vocab_size", vocab_size, kMaxVocabulary);
  check.size("block_size", block_size, kMaxContext);
  check.at_least_zero("logit_cap", logit_cap);
  check_transformer(check, *this);
  check_causal(check, *this);
  check_fits<Gpt>(check, *this);
}

Gpt::Transformer::Transformer(const GptConfig& config_in)
    : Module("Transformer"),
      config(config_in),
      wte(*this, "wte", config.vocab_size, config.n_embd, weight_init(config)),
      wpe(config.positions == Positions::learned, *this, "wpe", config.block_size, config.n_embd,
          weight_init(config)),
      drop(*this, "drop", config.dropout),
      h(*this, "h"),
      ln_f(!config.post_norm, *this, "ln_f", make_norm(config.n_embd, norm_options(config))) {
  for (std::int64_t i = 0; i < config.n_layer; ++i)
    h.emplace(block_options(config, true, Naming::nanogpt, i));
}

Tensor Gpt::Transformer::forward(const Tensor& ids, GptCache* cache,
                                 std::vector<Tensor>* attention) const {
  if (ids.rank() != 2) fail<ShapeError>("gpt", "expects ids (B, T), got {}", ids.shape().str());
  const std::int64_t first = cache ? cache->length() : 0, end = first + ids.size(1);
  const bool sinusoidal = config.positions == Positions::sinusoidal;
  if (end > config.block_size && (wpe || sinusoidal))
    fail<ShapeError>("gpt", "{} tokens are more than block_size {}, and {} positions end there",
                     end, config.block_size, to_name(config.positions));
  if (cache && cache->layers.empty()) cache->layers.resize(h.size());
  if (cache && cache->layers.size() != h.size())
    fail<ConfigError>("gpt", "the cache is of a model of {} layers, this one has {}",
                      cache->layers.size(), h.size());

  Tensor x = wte(ids);
  if (wpe) x = x + slice(wpe->weight, 0, first, end);
  if (sinusoidal)
    x = x + raw::slice(sinusoidal_positions(config.block_size, config.n_embd, x.dtype()), 0, first,
                       end);
  x = drop(x);
  if (attention) attention->assign(h.size(), Tensor());
  for (std::size_t i = 0; i < h.size(); ++i)
    x = h[i](x, {.cache = cache ? &cache->layers[i] : nullptr,
                 .weights = attention ? &(*attention)[i] : nullptr});
  return ln_f ? ln_f(x) : x;
}

Gpt::Gpt(const GptConfig& config)
    : LanguageModel("Gpt"),
      config_(checked(config)),
      transformer(*this, "transformer", config_),
      lm_head(*this, "lm_head", config_.n_embd, config_.vocab_size,
              head_options(config_, *transformer->wte)) {}

Tensor Gpt::forward_impl(const Tensor& ids, GptCache* cache, bool last_only,
                         std::vector<Tensor>* attention) const {
  Tensor x = transformer(ids, cache, attention);
  if (last_only) x = slice(x, 1, x.size(1) - 1, x.size(1));
  const Tensor logits = lm_head(x);
  return config_.logit_cap > 0 ? weft::tanh(logits * (1 / config_.logit_cap)) * config_.logit_cap
                               : logits;
}

Tensor Gpt::forward(const Tensor& ids) const { return forward_impl(ids, nullptr, false); }
Tensor Gpt::forward(const Tensor& ids, std::vector<Tensor>* attention) const {
  return forward_impl(ids, nullptr, false, attention);
}
Tensor Gpt::forward(const Tensor& ids, GptCache& cache) const {
  return forward_impl(ids, &cache, false);
}
Tensor Gpt::next_logits(const Tensor& ids, Memory& memory) const {
  return forward_impl(ids, &static_cast<GptCache&>(memory), true);
}
Tensor Gpt::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.block_size}, DType::i64);
}

std::string Gpt::details() const {
  return fmt::format("{} layers, {} heads, width {}, context {}, vocabulary {}", config_.n_layer,
                     config_.n_head, config_.n_embd, config_.block_size, config_.vocab_size);
}

}  // namespace weft::nn
