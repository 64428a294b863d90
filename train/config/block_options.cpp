#include "train/config/block_options.h"

#include <algorithm>

#include "core/error.h"

namespace weft::train {

void LayerOptions::check() const {
  if (width % heads != 0) {
    fail<ConfigError>("config",
                      "width must be divisible by heads: width {}, heads {}; choose a width of {}, "
                      "or a --head-size",
                      width, heads, std::max(heads, width / heads * heads));
  }
}

void BlockOptions::check() const {
  if (norm == "layer" && !norm_weight && bias) {
    fail<ConfigError>("config",
                      "a layer norm without weights has no bias either: norm_weight no, bias yes; "
                      "add --no-bias, or --norm rms");
  }
  if (head_size == 0) LayerOptions::check();
  if (kv_heads > 0 && heads % kv_heads != 0) {
    fail<ConfigError>("config", "heads must be divisible by kv_heads: heads {}, kv_heads {}", heads,
                      kv_heads);
  }
  const std::int64_t head = head_size > 0 ? head_size : width / heads;
  if (positions == "rope" && head % 2 != 0)
    fail<ConfigError>(
        "config", "rope rotates pairs of features, so the head size must be even, got {}", head);
}

void BlockOptions::settle(std::vector<std::string>& derived) {
  if (kv_heads == 0) {
    kv_heads = heads;
    derived.emplace_back("kv_heads");
  }
  if (head_size == 0) {
    head_size = width / heads;
    derived.emplace_back("head_size");
  }
}

std::int64_t BlockOptions::width_granularity() const {
  if (head_size > 0) return 1;
  return heads * (positions == "rope" ? 2 : 1);
}

std::int64_t BlockOptions::row_blocks(const std::string& name) const {
  if (activation == "swiglu" && (name.ends_with("c_fc.weight") || name.ends_with("fc1.weight")))
    return 2;
  return kv_heads == 0 || kv_heads == heads ? ModelOptions::row_blocks(name) : 1;
}

Fields block_fields(const std::string& layers_help, const std::vector<std::string>& positions) {
  using C = BlockOptions;
  const std::string group = "Model";
  return {
      {"layers", group, &C::layers, layers_help, 1, 10000},
      {"heads", group, &C::heads, "attention heads", 1, 10000},
      {"kv_heads", group, &C::kv_heads,
       "heads of keys and values, shared by groups of heads (0: as many as heads)", 0, 10000},
      {"head_size", group, &C::head_size, "size of a head (0: width / heads)", 0, 100000},
      {"width", group, &C::width, "size of the vector that represents a token", 1, 1000000},
      {"attention", group, &C::attention, nn::about_attention(), 0, 0,
       nn::choices<nn::AttentionKind>()},
      {"norm", group, &C::norm, "normalization", 0, 0, nn::choices<nn::NormKind>()},
      {"norm_weight", group, &C::norm_weight, "norms have learned weights"},
      {"post_norm", group, &C::post_norm,
       "normalize after each residual sum, not before each branch"},
      {"qk_norm", group, &C::qk_norm, "normalize queries and keys"},
      {"activation", group, &C::activation, "of the feed-forward layers", 0, 0,
       nn::choices<nn::Activation>()},
      {"mlp_ratio", group, &C::mlp_ratio, "feed-forward size, as a multiple of width", 0.01, 1000},
      {"bias", group, &C::bias, "linear layers and layer norms have biases"},
      {"dropout", group, &C::dropout, "dropout: fraction of activations dropped in training", 0,
       0.99},
      {"init", group, &C::init,
       "weight initialization: gpt2's normal distribution, or the defaults of PyTorch's layers", 0,
       0, nn::choices<nn::InitScheme>()},
      Field{"init_std", group, &C::init_std, "standard deviation of gpt2's initial weights", 0, 100}
          .idle_where<C>([](const C& c) { return c.init == "gpt2" ? "" : "init " + c.init; }),
      {"zero_init", group, &C::zero_init,
       "projections into the residual stream and the head start at zero"},
      {"positions", group, &C::positions, "positional encoding", 0, 0, positions},
  };
}

namespace {

const Field* width_field(const RunConfig& config) {
  for (const Field& field : config.model.entry().fields())
    if (field.name == "width") return &field;
  return nullptr;
}

}  // namespace

std::int64_t width_of(const RunConfig& config) {
  const Field* const field = width_field(config);
  return field == nullptr ? 0 : std::get<std::int64_t>(value_of(config, *field));
}

void set_width(RunConfig& config, std::int64_t width) {
  if (const Field* const field = width_field(config))
    *std::get<std::int64_t*>(field->member(config)) = width;
}

}  // namespace weft::train
