// Backbones: images to maps of features, by convolutions or by a vision transformer.
#pragma once

#include "nn/block.h"
#include "nn/conv2d.h"
#include "nn/detector.h"
#include "nn/models/resnet.h"
#include "nn/models/vit.h"

namespace weft::nn {

struct ConvBackboneConfig {
  std::int64_t channels = 1;
  std::int64_t features = 64;
  std::int64_t stride = 4;  ///< 4 or 8

  /// Throws ConfigError.
  void validate() const;
};

/// A 3 x 3 convolution of stride 2, then basic blocks: one of stride 2, one of stride 1 (or 2 for a
/// stride of 8), and channels that double to `features`. Source: He et al. 2016 (arXiv 1512.03385),
/// figure 2.
class ConvBackbone : public Backbone {
 public:
  explicit ConvBackbone(const ConvBackboneConfig& config);

  Tensor forward(const Tensor& images) const override;
  std::int64_t features() const override { return config_.features; }  ///< of the map
  /// Pixels of the image per position of the map.
  std::int64_t stride() const override { return config_.stride; }
  std::string details() const override;

 private:
  ConvBackboneConfig config_;
  Child<Conv2d> conv1;
  Child<BatchNorm2d> bn1;
  Child<BasicBlock> layer1;
  Child<BasicBlock> layer2;
};

struct VitBackboneConfig {
  VitConfig vit{};  ///< its n_class and pooling do not matter
  std::int64_t features = 64;
  std::int64_t upsample = 2;  ///< pixels of the map each way for a patch

  /// Throws ConfigError.
  void validate() const;
};

/// A plain transformer over patches; every token then becomes upsample x upsample pixels of the map
/// by one linear layer, which is a transposed convolution whose stride is its kernel. Source: Li et
/// al. 2022 (arXiv 2203.16527), section 3: one map from the last tokens of a plain ViT.
class VitBackbone : public Backbone {
 public:
  explicit VitBackbone(const VitBackboneConfig& config);

  Tensor forward(const Tensor& images) const override;
  std::int64_t features() const override { return config_.features; }  ///< of the map
  /// Pixels of the image per position of the map.
  std::int64_t stride() const override { return config_.vit.patch_size / config_.upsample; }
  std::string details() const override;

 private:
  VitBackboneConfig config_;
  Parameter pos_embed;
  Child<PatchEmbed> patch_embed;
  Child<Dropout> pos_drop;
  ModuleList<Block> blocks;
  OptionalChild<Norm> norm;
  Child<Linear> to_map;
};

}  // namespace weft::nn
