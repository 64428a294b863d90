#pragma once

#include "optim/optimizer.h"

namespace weft::optim {

struct SgdOptions {
  double lr = 1e-2;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  ///< L2: added to the gradient
  Decay decay = Decay::matrices;
};

/// Stochastic gradient descent. buf = momentum buf + g; p -= lr buf, or lr (g + momentum buf) with
/// Nesterov. Source: Sutskever et al. 2013 (ICML), in PyTorch's form.
class Sgd : public Optimizer {
 public:
  explicit Sgd(NamedTensors parameters, SgdOptions options = {});
  explicit Sgd(const std::vector<Tensor>& parameters, SgdOptions options = {})
      : Sgd(with_names(parameters), options) {}
  NamedTensors state() const override;

 protected:
  void update() override;  ///< one step

 private:
  SgdOptions options_;
  std::vector<Tensor> momentum_;
};

}  // namespace weft::optim
