// A small convolutional network: what a vision transformer is compared with.
#pragma once

#include <vector>

#include "nn/conv2d.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/model.h"

namespace weft::nn {

struct CnnConfig {
  std::int64_t n_class = 10;
  std::int64_t image_height = 28;
  std::int64_t image_width = 28;
  std::int64_t channels = 1;
  std::vector<std::int64_t> widths{
      32, 64};  ///< channels after each convolution, each followed by ReLU and 2 x 2 max pooling
  std::int64_t kernel = 3;    ///< odd; padding keeps the size
  std::int64_t hidden = 128;  ///< of the layer before the head; 0: none
  double dropout = 0;         ///< before the head

  /// Throws ConfigError.
  void validate() const;
  /// Features that reach the linear layers.
  std::int64_t n_feature() const;
};

/// Convolution, ReLU, max pooling; repeated; then linear layers. Source: LeCun et al. 1998 (Proc.
/// IEEE 86), in today's parts.
class Cnn : public Model {
 public:
  explicit Cnn(const CnnConfig& config);

  /// Shape: images (B, channels, H, W) -> logits (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& images) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const CnnConfig& config() const { return config_; }  ///< as it was built

 private:
  CnnConfig config_;
  ModuleList<Conv2d> convs{*this, "convs"};
  OptionalChild<Linear> fc;
  Child<Dropout> drop;
  Child<Linear> head;
};

}  // namespace weft::nn
