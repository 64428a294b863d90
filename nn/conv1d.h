// Conv1d: convolution over sequences.
#pragma once

#include "nn/module.h"

namespace weft::nn {

/// Cross-correlation over tokens, `kernel` of them at a time, zeros beyond both ends so that their
/// number stays. Parameters: weight (out, in, kernel), bias (out,).
class Conv1d : public Module {
 public:
  /// Throws ConfigError for sizes below 1 and an even kernel.
  Conv1d(std::int64_t in, std::int64_t out, std::int64_t kernel,
         const init::Initializer& initializer = {});

  /// Shape: (B, T, in) -> (B, T, out), as all layers over tokens (PyTorch's has the channels before
  /// T). Throws: ShapeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

  Parameter weight;
  Parameter bias;
};

}  // namespace weft::nn
