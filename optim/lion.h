#pragma once

#include "optim/optimizer.h"

namespace weft::optim {

struct LionOptions {
  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;
  Decay decay = Decay::matrices;
};

/// p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p), then m = beta2 m + (1 - beta2) g.
/// Source: Chen et al. 2023 (arXiv 2302.06675), algorithm 2.
class Lion : public Optimizer {
 public:
  explicit Lion(NamedTensors parameters, LionOptions options = {});
  explicit Lion(const std::vector<Tensor>& parameters, LionOptions options = {})
      : Lion(with_names(parameters), options) {}
  NamedTensors state() const override { return named("exp_avg", exp_avg_); }

 protected:
  void update() override;  ///< one step

 private:
  LionOptions options_;
  std::vector<Tensor> exp_avg_;
};

}  // namespace weft::optim
