// The choices of optimizers that average gradients by beta1, and their squares by beta2.
#pragma once

#include "optim/adam.h"
#include "train/loop/optimizer_entry.h"

namespace weft::train {

struct BetaOptions : OptimizerOptions {
  double beta1 = 0.9;
  double beta2 = 0.99;

  optim::AdamWOptions adamw(const RunConfig& config) const {
    return {.lr = config.lr, .beta1 = beta1, .beta2 = beta2, .weight_decay = config.weight_decay};
  }
};

inline Fields beta_fields() {
  return {
      {"beta1", "Optimization", &BetaOptions::beta1, "decay rate of the mean of gradients", 0,
       0.99999},
      {"beta2", "Optimization", &BetaOptions::beta2,
       "decay rate of adam's mean of squares, and of the momentum that lion keeps", 0, 0.9999999}};
}

/// Optimizers that have no other choices.
class BetaOptimizer : public OptimizerOf<BetaOptions> {
 public:
  const Fields& fields() const override {
    static const Fields table = beta_fields();
    return table;
  }
};

}  // namespace weft::train
