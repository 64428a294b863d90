#pragma once

#include "optim/optimizer.h"

namespace weft::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  Decay decay = Decay::matrices;
};

/// Adam: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, p -= lr m^ / (sqrt(v^) + eps),
/// with m^ = m / (1 - beta1^t) and v^ = v / (1 - beta2^t), t counting the steps in which this
/// parameter had a gradient. Weight decay is L2: added to g. Source: Kingma and Ba 2014 (arXiv
/// 1412.6980), algorithm 1.
class Adam : public Optimizer {
 public:
  explicit Adam(NamedTensors parameters, AdamOptions options = {})
      : Adam(std::move(parameters), options, false) {}
  explicit Adam(const std::vector<Tensor>& parameters, AdamOptions options = {})
      : Adam(with_names(parameters), options, false) {}
  NamedTensors state() const override;

 protected:
  Adam(NamedTensors parameters, AdamOptions options, bool decoupled);
  void update() override;  ///< one step

 private:
  AdamOptions options_;
  bool decoupled_;
  std::vector<Tensor> exp_avg_;
  std::vector<Tensor> exp_avg_sq_;
  std::vector<Tensor> counts_;  ///< i64 scalars: of steps
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 1e-2;
  Decay decay = Decay::matrices;
};

/// Adam with decoupled weight decay: p -= lr weight_decay p before the update, on matrices only
/// unless told otherwise. Source: Loshchilov and Hutter 2017 (arXiv 1711.05101), algorithm 2, in
/// PyTorch's form (decay scaled by lr).
class AdamW : public Adam {
 public:
  explicit AdamW(NamedTensors parameters, AdamWOptions o = {})
      : Adam(std::move(parameters), {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay, o.decay},
             true) {}
  explicit AdamW(const std::vector<Tensor>& parameters, AdamWOptions options = {})
      : AdamW(with_names(parameters), options) {}
};

}  // namespace weft::optim
