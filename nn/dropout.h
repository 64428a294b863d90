// Dropout as a module.
#pragma once

#include "nn/module.h"

namespace weft::nn {

/// Zeros elements with probability p while training, from the stream `dropout`; nothing otherwise.
/// Source: Srivastava et al. 2014 (JMLR 15).
class Dropout : public Module {
 public:
  /// Throws ConfigError unless 0 <= p < 1.
  explicit Dropout(double p);
  /// Shape: any -> the same.
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;
  double p() const { return p_; }  ///< the probability

 private:
  double p_;
};

}  // namespace weft::nn
