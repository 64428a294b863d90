// Linear: an affine map of the last dimension.
#pragma once

#include "nn/module.h"

namespace weft::nn {

struct LinearOptions {
  bool bias = true;
  init::Initializer init{};  ///< of the weight, the bias then starts at zero. Undefined: PyTorch's
                             ///< default, both uniform in +-1 / sqrt(in)
  const Parameter* tied = nullptr;  ///< use this weight instead of an own one
};

/// x weight^T + bias. Parameters: weight (out, in), bias (out,).
class Linear : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, const LinearOptions& options = {});

  /// Shape: (..., in) -> (..., out). Throws: ShapeError, DTypeError.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

  Parameter weight;
  Parameter bias;
};

}  // namespace weft::nn
