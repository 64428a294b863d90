// FeedForward: the position-wise layers of a transformer block.
#pragma once

#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/options.h"

namespace weft::nn {

/// The function itself. Throws ConfigError for swiglu, which takes two halves.
Tensor activate(const Tensor& x, Activation activation);

struct FeedForwardOptions {
  std::int64_t n_embd = 0;
  std::int64_t hidden = 0;  ///< 0: 4 n_embd
  Activation activation = Activation::gelu_erf;
  bool bias = true;
  double dropout = 0;  ///< of the output
  init::Initializer init{};
  init::Initializer proj_init{};
  Naming naming = Naming::nanogpt;
};

/// proj(activation(fc(x))); for swiglu fc makes 2 hidden features (gate first): proj(silu(gate) *
/// value). Parameters: c_fc, c_proj (timm: fc1, fc2). Source: Vaswani et al. 2017 (arXiv
/// 1706.03762), eq. 2; Shazeer 2020 (arXiv 2002.05202), eq. 6; squared ReLU: So et al. 2021 (arXiv
/// 2109.08668).
class FeedForward : public Module {
 public:
  explicit FeedForward(const FeedForwardOptions& options);

  /// Shape: (..., C) -> (..., C).
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }
  std::string details() const override;

  Child<Linear> fc;
  Child<Linear> proj;
  Child<Dropout> drop;

 private:
  Activation activation_;
};

}  // namespace weft::nn
