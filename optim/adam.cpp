#include "optim/adam.h"

#include <cmath>
#include <limits>

#include "core/kernels/optimizer.h"
#include "core/math.h"
#include "core/shape_only.h"

namespace weft::optim {

Adam::Adam(NamedTensors parameters, AdamOptions options, bool decoupled)
    : Optimizer(std::move(parameters)),
      options_(options),
      decoupled_(decoupled),
      exp_avg_(zeros_like_parameters()),
      exp_avg_sq_(zeros_like_parameters()) {
  const char* who = decoupled ? "adamw" : "adam";
  require_in(who, "lr", options_.lr, 0, std::numeric_limits<double>::infinity());
  require_in(who, "beta1", options_.beta1, 0, 0.999999999);
  require_in(who, "beta2", options_.beta2, 0, 0.999999999);
  require_in(who, "eps", options_.eps, 0, std::numeric_limits<double>::infinity());
  require_in(who, "weight_decay", options_.weight_decay, 0,
             std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    counts_.push_back(Tensor::zeros({}, DType::i64));
}

NamedTensors Adam::state() const {
  NamedTensors all = named("exp_avg", exp_avg_);
  for (auto& entry : named("exp_avg_sq", exp_avg_sq_)) all.push_back(std::move(entry));
  for (auto& entry : named("step", counts_)) all.push_back(std::move(entry));
  return all;
}

void Adam::update() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i].second;
    if (!p.grad().defined()) continue;
    const double t = shape_only() ? 1 : static_cast<double>(++counts_[i].data<std::int64_t>()[0]);
    const kernels::AdamStep step{
        .lr = options_.lr * lr_factor_,
        .beta1 = options_.beta1,
        .beta2 = options_.beta2,
        .eps = options_.eps,
        .weight_decay = decays(options_.decay, p) ? options_.weight_decay : 0,
        .bias_correction1 = 1 - math::pow(options_.beta1, t),
        .bias_correction2 = 1 - math::pow(options_.beta2, t),
        .decoupled = decoupled_};
    kernels::adam(p, p.grad(), exp_avg_[i], exp_avg_sq_[i], step);
  }
}

}  // namespace weft::optim
