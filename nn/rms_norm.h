// RmsNorm: unit mean square over the last dimension.
#pragma once

#include "nn/norm.h"

namespace weft::nn {

struct RmsNormOptions {
  bool weight = true;
  double eps = 1e-6;
};

/// Parameters: weight (C,) from 1, optional. Source: Zhang and Sennrich 2019 (arXiv 1910.07467),
/// eq. 4.
class RmsNorm : public Norm {
 public:
  explicit RmsNorm(std::int64_t n_embd, const RmsNormOptions& options = {});
  Tensor forward(const Tensor& x) const override;
  std::string details() const override;

  Parameter weight;

 private:
  std::int64_t n_embd_;
  double eps_;
};

}  // namespace weft::nn
