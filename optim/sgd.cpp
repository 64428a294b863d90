#include "optim/sgd.h"

#include <limits>

#include "core/kernels/optimizer.h"

namespace weft::optim {

Sgd::Sgd(NamedTensors parameters, SgdOptions options)
    : Optimizer(std::move(parameters)), options_(options) {
  require_in("sgd", "lr", options_.lr, 0, std::numeric_limits<double>::infinity());
  require_in("sgd", "momentum", options_.momentum, 0, 1);
  require_in("sgd", "weight_decay", options_.weight_decay, 0,
             std::numeric_limits<double>::infinity());
  if (options_.nesterov && options_.momentum == 0)
    fail<ConfigError>("sgd", "nesterov expects a momentum above 0");
  if (options_.momentum > 0) momentum_ = zeros_like_parameters();
}

NamedTensors Sgd::state() const { return named("momentum", momentum_); }

void Sgd::update() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i].second;
    if (!p.grad().defined()) continue;
    const kernels::SgdStep step{
        .lr = options_.lr * lr_factor_,
        .momentum = options_.momentum,
        .weight_decay = decays(options_.decay, p) ? options_.weight_decay : 0,
        .nesterov = options_.nesterov};
    kernels::sgd(p, p.grad(), momentum_.empty() ? Tensor() : momentum_[i], step);
  }
}

}  // namespace weft::optim
