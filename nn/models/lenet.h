// LeNet-5, the first convolutional network for digits, in today's parts.
#pragma once

#include "nn/conv2d.h"
#include "nn/linear.h"
#include "nn/model.h"

namespace weft::nn {

struct LenetConfig {
  std::int64_t n_class = 10;
  std::int64_t image_height = 28;
  std::int64_t image_width = 28;
  std::int64_t channels = 1;

  /// Throws ConfigError.
  void validate() const;
  /// Height and width after the convolutions.
  std::int64_t feature_height() const { return (image_height / 2 - 4) / 2; }
  std::int64_t feature_width() const { return (image_width / 2 - 4) / 2; }  ///< after both poolings
};

/// 5 x 5 convolutions to 6 and 16 channels, each with ReLU and 2 x 2 max pooling, then layers of
/// 120, 84 and n_class. The paper's images are digits of 28 x 28 in a frame of 32 x 32, here the
/// first convolution's padding; its sigmoids, trained subsampling, sparse table and radial outputs
/// are left to history. Source: LeCun et al. 1998 (Proc. IEEE 86), section II.B.
class Lenet : public Model {
 public:
  explicit Lenet(const LenetConfig& config);

  /// Shape: images (B, channels, H, W) -> logits (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& images) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const LenetConfig& config() const { return config_; }  ///< as it was built

 private:
  LenetConfig config_;
  Child<Conv2d> conv1;
  Child<Conv2d> conv2;
  Child<Linear> fc1;
  Child<Linear> fc2;
  Child<Linear> fc3;
};

}  // namespace weft::nn
