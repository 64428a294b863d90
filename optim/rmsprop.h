#pragma once

#include "optim/optimizer.h"

namespace weft::optim {

struct RmspropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  ///< decay of the mean of squares
  double eps = 1e-8;
  double momentum = 0;
  bool centered = false;    ///< divide by the deviation, not by the root of the mean square
  double weight_decay = 0;  ///< L2: added to the gradient
  Decay decay = Decay::matrices;
};

/// v = alpha v + (1 - alpha) g^2; centered, a = alpha a + (1 - alpha) g and v - a^2 for v; then
/// p -= lr g / (sqrt(v) + eps), or with momentum buf = momentum buf + g / (sqrt(v) + eps) and
/// p -= lr buf. Source: Tieleman & Hinton 2012 (lecture 6.5 of "Neural networks for machine
/// learning"); centered: Graves 2013 (arXiv 1308.0850), eq. 38 to 45, in PyTorch's form.
class Rmsprop : public Optimizer {
 public:
  /// Throws ConfigError for impossible options.
  explicit Rmsprop(NamedTensors parameters, RmspropOptions options = {});
  explicit Rmsprop(const std::vector<Tensor>& parameters, RmspropOptions options = {})
      : Rmsprop(with_names(parameters), options) {}
  NamedTensors state() const override;

 protected:
  void update() override;  ///< one step

 private:
  RmspropOptions options_;
  std::vector<Tensor> square_avg_;
  std::vector<Tensor> grad_avg_;
  std::vector<Tensor> momentum_;
};

}  // namespace weft::optim
