// Model: a module that turns one batch of inputs into logits.
#pragma once

#include "nn/module.h"

namespace weft::nn {

/// Base of the models of one input: LanguageModel, Vit, Mlp and others.
class Model : public Module {
 public:
  using Module::Module;

  /// Shape: inputs as example_input()'s -> logits (B, ..., V).
  virtual Tensor forward(const Tensor& inputs) const = 0;
  Tensor operator()(const Tensor& inputs) const { return forward(inputs); }
  /// Zeros of the shape and dtype that forward wants: ids (B, T) or images (B, C, H, W).
  virtual Tensor example_input(std::int64_t batch = 1) const = 0;
};

}  // namespace weft::nn
