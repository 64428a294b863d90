// Vision transformer over images, with timm's parameter names.
#pragma once

#include "nn/block.h"
#include "nn/linear.h"
#include "nn/model.h"
#include "nn/patch_embed.h"

namespace weft::nn {

struct VitConfig {
  std::int64_t n_class = 10;
  std::int64_t image_height = 28;
  std::int64_t image_width = 28;
  std::int64_t channels = 1;
  std::int64_t patch_size = 4;
  std::int64_t n_layer = 6;
  std::int64_t n_head = 4;
  std::int64_t n_embd = 64;
  double mlp_ratio = 4;
  double dropout = 0;
  double attention_dropout = 0;
  bool bias = true;
  std::int64_t n_kv_head = 0;
  std::int64_t head_size = 0;
  Pooling pooling = Pooling::mean;  ///< cls: a class token is put first, and read at the end
  AttentionKind attention = AttentionKind::softmax;
  Positions positions = Positions::learned;
  double rope_base = 10000;
  NormKind norm = NormKind::layer;
  bool norm_weight = true;
  Activation activation = Activation::gelu_erf;
  bool qk_norm = false;
  bool post_norm = false;
  bool zero_init_proj = false;  ///< output projections and the head start at zero
  InitScheme init = InitScheme::torch;
  double init_std = 0.02;

  /// Throws ConfigError that names the field, its value and what it may be, and for more parameters
  /// than memory holds.
  void validate() const;
  /// Patches of an image.
  std::int64_t n_patch() const { return (image_height / patch_size) * (image_width / patch_size); }
  /// Patches, and the class token where there is one.
  std::int64_t n_token() const { return n_patch() + (pooling == Pooling::cls ? 1 : 0); }
  /// `head_size`, or n_embd / n_head.
  std::int64_t resolved_head_size() const { return head_size > 0 ? head_size : n_embd / n_head; }
  /// `n_kv_head`, or n_head.
  std::int64_t resolved_kv_heads() const { return n_kv_head > 0 ? n_kv_head : n_head; }
  std::int64_t hidden_size() const;  ///< of the feed-forward layers
};

/// Source: Dosovitskiy et al. 2020 (arXiv 2010.11929), eq. 1 to 4.
class Vit : public Model {
 public:
  explicit Vit(const VitConfig& config);

  /// Shape: images (B, channels, H, W) -> logits (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& images) const override;
  /// Also gives each block's attention weights, (B, heads, tokens, tokens).
  Tensor forward(const Tensor& images, std::vector<Tensor>* attention) const;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const VitConfig& config() const { return config_; }  ///< as it was built

 private:
  VitConfig config_;
  Parameter cls_token;
  Parameter pos_embed;
  Child<PatchEmbed> patch_embed;
  Child<Dropout> pos_drop;
  ModuleList<Block> blocks;
  OptionalChild<Norm> norm;
  Child<Linear> head;
};

}  // namespace weft::nn
