// The choices that transformers share, as options that models derive theirs from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/options.h"
#include "train/config/config_fields.h"

namespace weft::train {

/// Layers of attention and a feed-forward part.
struct LayerOptions : ModelOptions {
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t width = 128;
  double mlp_ratio = 4;
  double dropout = 0;

  void check() const override;  ///< width is divisible by heads
  std::int64_t width_granularity() const override { return heads; }
};

/// The blocks of Gpt, Vit and EncoderDecoder.
struct BlockOptions : LayerOptions {
  std::int64_t kv_heads = 0;   ///< 0: as many as heads
  std::int64_t head_size = 0;  ///< 0: width / heads
  std::string attention = "softmax";
  std::string norm = "layer";
  bool norm_weight = true;
  bool post_norm = false;
  bool qk_norm = false;
  std::string activation = "gelu_erf";
  bool bias = true;
  std::string init = "gpt2";
  double init_std = 0.02;
  bool zero_init = false;
  std::string positions = "learned";

  void check() const override;
  void settle(std::vector<std::string>& derived) override;
  std::int64_t width_granularity() const override;
  std::int64_t row_blocks(const std::string& parameter) const override;
};

/// `layers_help` says what a layer is; `positions` which there are.
Fields block_fields(const std::string& layers_help,
                    const std::vector<std::string>& positions = nn::choices<nn::Positions>());

/// The choices that the configurations M of all such models share.
template <class M>
void set_blocks(M& m, const BlockOptions& o) {
  m.n_layer = o.layers;
  m.n_head = o.heads;
  m.n_kv_head = o.kv_heads;
  m.head_size = o.head_size;
  m.n_embd = o.width;
  m.attention = nn::from_name<nn::AttentionKind>(o.attention, "attention");
  m.positions = nn::from_name<nn::Positions>(o.positions, "positions");
  m.norm = nn::from_name<nn::NormKind>(o.norm, "norm");
  m.norm_weight = o.norm_weight;
  m.post_norm = o.post_norm;
  m.qk_norm = o.qk_norm;
  m.activation = nn::from_name<nn::Activation>(o.activation, "activation");
  m.mlp_ratio = o.mlp_ratio;
  m.bias = o.bias;
  m.dropout = o.dropout;
  m.init = nn::from_name<nn::InitScheme>(o.init, "init");
  m.init_std = o.init_std;
  m.zero_init_proj = o.zero_init;
}

/// The width of whatever model is chosen; 0 of one that has no such choice.
std::int64_t width_of(const RunConfig& config);
/// Does nothing to a model that has no such choice.
void set_width(RunConfig& config, std::int64_t width);

}  // namespace weft::train
