// The activations of click models: Dice, and PReLU, which it generalizes.
#pragma once

#include "nn/module.h"

namespace weft::nn {

/// p(x) x + (1 - p(x)) alpha x with p(x) = sigmoid((x - mean) / sqrt(var + 1e-8)): a switch between
/// x and alpha x that moves with the data. Mean and variance are those of the batch, one a channel,
/// while training; afterwards running averages of them. Parameters: alpha (C,), from 0.25; buffers:
/// running_mean, running_var (C,). Source: Zhou et al. 2018 (arXiv 1706.06978), eq. 3.
class Dice : public Module {
 public:
  /// `momentum`: share of a new batch in the running averages. Throws ConfigError.
  explicit Dice(std::int64_t n_channel, double momentum = 0.1);

  /// Shape: (N, C) -> (N, C). Throws: ShapeError, also for a training batch without rows.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

 private:
  std::int64_t n_channel_;
  double momentum_;
  Parameter alpha;
  Buffer running_mean;
  Buffer running_var;
};

/// x above zero, alpha x below. Parameters: alpha (C,), from 0.25. Source: He et al. 2015 (arXiv
/// 1502.01852), eq. 1.
class PRelu : public Module {
 public:
  /// Throws ConfigError.
  explicit PRelu(std::int64_t n_channel);

  /// Shape: (..., C) -> (..., C). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

 private:
  std::int64_t n_channel_;
  Parameter alpha;
};

}  // namespace weft::nn
