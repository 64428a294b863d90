#include "optim/lion.h"

#include <limits>

#include "core/kernels/optimizer.h"

namespace weft::optim {

Lion::Lion(NamedTensors parameters, LionOptions options)
    : Optimizer(std::move(parameters)), options_(options), exp_avg_(zeros_like_parameters()) {
  require_in("lion", "lr", options_.lr, 0, std::numeric_limits<double>::infinity());
  require_in("lion", "beta1", options_.beta1, 0, 1);
  require_in("lion", "beta2", options_.beta2, 0, 1);
  require_in("lion", "weight_decay", options_.weight_decay, 0,
             std::numeric_limits<double>::infinity());
}

void Lion::update() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i].second;
    if (!p.grad().defined()) continue;
    const kernels::LionStep step{
        .lr = options_.lr * lr_factor_,
        .beta1 = options_.beta1,
        .beta2 = options_.beta2,
        .weight_decay = decays(options_.decay, p) ? options_.weight_decay : 0};
    kernels::lion(p, p.grad(), exp_avg_[i], step);
  }
}

}  // namespace weft::optim
