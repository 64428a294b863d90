// LayerNorm: zero mean and unit variance over the last dimension.
#pragma once

#include "nn/norm.h"

namespace weft::nn {

struct LayerNormOptions {
  bool weight = true;
  bool bias = true;
  double eps = 1e-5;
};

/// Parameters: weight (C,) from 1, bias (C,) from 0, each optional. Source: Ba, Kiros, Hinton 2016
/// (arXiv 1607.06450), eq. 4.
class LayerNorm : public Norm {
 public:
  explicit LayerNorm(std::int64_t n_embd, const LayerNormOptions& options = {});
  Tensor forward(const Tensor& x) const override;
  std::string details() const override;

  Parameter weight;
  Parameter bias;

 private:
  std::int64_t n_embd_;
  double eps_;
};

}  // namespace weft::nn
