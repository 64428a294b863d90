#include "train/bench/workload.h"

namespace weft::bench {

Workload::Workload(const Plan& plan) {
  plan.validate();
  random::seed(0);
  Generator data(0, "data");
  work_ = plan.model->make(plan, data);
  const optim::AdamWOptions options{
      .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1, .decay = optim::Decay::all};
  optimizer_ = std::make_unique<optim::AdamW>(work_.model->named_parameters(), options);
}

Tensor Workload::step() {
  zero_grad();
  Tensor loss = this->loss();
  loss.backward();
  update();
  return loss;
}

}  // namespace weft::bench
