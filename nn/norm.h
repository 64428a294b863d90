// Norm: what layer norm and RMS norm have in common, and the choice between them.
#pragma once

#include <memory>

#include "nn/module.h"
#include "nn/options.h"

namespace weft::nn {

/// A normalization of the last dimension.
class Norm : public Module {
 public:
  using Module::Module;
  /// Shape: (..., C) -> (..., C).
  virtual Tensor forward(const Tensor& x) const = 0;
  Tensor operator()(const Tensor& x) const { return forward(x); }
};

struct NormOptions {
  NormKind kind = NormKind::layer;
  bool weight = true;
  bool bias = true;  ///< layer norm only, and only with a weight
};

/// A norm of the last dimension, of size n_embd.
std::unique_ptr<Norm> make_norm(std::int64_t n_embd, const NormOptions& options = {});

}  // namespace weft::nn
