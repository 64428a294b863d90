#include "train/bench/workload.h"

namespace weft::bench {

namespace {

std::unique_ptr<optim::AdamW> make_optimizer(const nn::Module& model) {
  const optim::AdamWOptions options{
      .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1, .decay = optim::Decay::all};
  return std::make_unique<optim::AdamW>(model.named_parameters(), options);
}

}  // namespace

nn::StepDescription describe_step(const Plan& plan) {
  return nn::describe_step([&] {
    Generator data(0, "data");
    const Work work = plan.model->make(plan, data);
    return nn::StepParts{
        .module = work.model, .loss = work.loss, .make_update = [model = work.model] {
          const std::shared_ptr<optim::AdamW> optimizer = make_optimizer(*model);
          return std::function<void()>([optimizer] { optimizer->step(); });
        }};
  });
}

Workload::Workload(const Plan& plan) {
  plan.validate();
  random::seed(0);
  Generator data(0, "data");
  work_ = plan.model->make(plan, data);
  optimizer_ = make_optimizer(*work_.model);
}

Tensor Workload::step() {
  zero_grad();
  Tensor loss = this->loss();
  loss.backward();
  update();
  return loss;
}

}  // namespace weft::bench
