// BatchNorm2d: each channel of images brought to zero mean and unit variance over the batch.
#pragma once

#include "nn/module.h"

namespace weft::nn {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  double momentum = 0.1;            ///< share of the batch in the running statistics
  init::Initializer weight_init{};  ///< default: ones
};

/// Training: by the batch's statistics, which move the running ones; else by the running ones.
/// Parameters: weight (C,) from 1, bias (C,) from 0. Buffers that are saved: running_mean (C,) from
/// 0, running_var (C,) from 1. Source: Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithms 1
/// and 2.
class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(std::int64_t channels, const BatchNorm2dOptions& options = {});

  /// Shape: (B, C, H, W) -> (B, C, H, W). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

  Parameter weight;
  Parameter bias;
  Buffer running_mean;
  Buffer running_var;

 private:
  BatchNorm2dOptions options_;
};

}  // namespace weft::nn
