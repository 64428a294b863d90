// Conv2d: convolution over images.
#pragma once

#include "autograd/ops/conv.h"
#include "nn/module.h"

namespace weft::nn {

struct Conv2dLayerOptions {
  Size2 stride = 1;
  Size2 padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  init::Initializer init{};  ///< as LinearOptions::init
};

/// Parameters: weight (out, in / groups, kernel rows, kernel columns), bias (out,).
class Conv2d : public Module {
 public:
  /// Throws ConfigError for sizes below 1 and groups that do not divide the channels.
  Conv2d(std::int64_t in, std::int64_t out, Size2 kernel, const Conv2dLayerOptions& options = {});

  /// Shape: (B, in, H, W) -> (B, out, H', W'). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

  Parameter weight;
  Parameter bias;

 private:
  Conv2dOptions options_;
};

}  // namespace weft::nn
