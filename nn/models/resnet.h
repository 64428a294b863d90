// ResNet for small images.
#pragma once

#include "nn/batch_norm.h"
#include "nn/conv2d.h"
#include "nn/linear.h"
#include "nn/model.h"

namespace weft::nn {

/// Two 3 x 3 convolutions with batch norm, added to what came in. Where the stride is above 1 or
/// the channels change, a 1 x 1 convolution with batch norm (`downsample`) brings that to the same
/// shape. Children carry torchvision's names: conv1, bn1, conv2, bn2, downsample.0, downsample.1.
/// Source: He et al. 2016 (arXiv 1512.03385), figure 2 and option B of section 3.3.
class BasicBlock : public Module {
 public:
  BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride);

  /// Shape: (B, in, H, W) -> (B, out, ceil(H / stride), ceil(W / stride)). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

  Child<Conv2d> conv1;
  Child<BatchNorm2d> bn1;
  Child<Conv2d> conv2;
  Child<BatchNorm2d> bn2;

 private:
  struct Shortcut : Module {
    Shortcut(std::int64_t in, std::int64_t out, std::int64_t stride);
    Tensor forward(const Tensor& x) const { return bn(conv(x)); }
    Child<Conv2d> conv;
    Child<BatchNorm2d> bn;
  };
  OptionalChild<Shortcut> downsample;
};

struct ResnetConfig {
  std::int64_t n_class = 10;
  std::int64_t image_height = 28;
  std::int64_t image_width = 28;
  std::int64_t channels = 1;
  std::int64_t width =
      16;  ///< channels of the first stage; the second has twice, the third four times as many
  std::int64_t blocks = 1;  ///< of each stage: 6 blocks + 2 layers in all

  /// Throws ConfigError.
  void validate() const;
};

/// The paper's network for CIFAR: a 3 x 3 convolution, three stages of basic blocks at full, half
/// and a quarter of the size, the mean of each channel, a linear layer. Source: He et al. 2016
/// (arXiv 1512.03385), section 4.2.
class Resnet : public Model {
 public:
  explicit Resnet(const ResnetConfig& config);

  /// Shape: images (B, channels, H, W) -> logits (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& images) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const ResnetConfig& config() const { return config_; }  ///< as it was built

 private:
  ResnetConfig config_;
  Child<Conv2d> conv1;
  Child<BatchNorm2d> bn1;
  ModuleList<BasicBlock> layer1{*this, "layer1"};
  ModuleList<BasicBlock> layer2{*this, "layer2"};
  ModuleList<BasicBlock> layer3{*this, "layer3"};
  Child<Linear> fc;
};

}  // namespace weft::nn
