#include "train/loop/optimizers/beta_options.h"

namespace weft::train {
namespace {

class AdamEntry : public BetaOptimizer {
 public:
  std::string name() const override { return "adam"; }
  std::string about() const override { return "means of gradients and of their squares"; }
  std::unique_ptr<optim::Optimizer> build(const RunConfig& c,
                                          const nn::Module& model) const override {
    const auto& o = c.optimizer.as<BetaOptions>();
    return std::make_unique<optim::Adam>(
        model.named_parameters(),
        optim::AdamOptions{
            .lr = c.lr, .beta1 = o.beta1, .beta2 = o.beta2, .weight_decay = c.weight_decay});
  }
};

class AdamWEntry : public BetaOptimizer {
 public:
  std::string name() const override { return "adamw"; }
  std::string about() const override { return "adam with decoupled weight decay"; }
  std::unique_ptr<optim::Optimizer> build(const RunConfig& c,
                                          const nn::Module& model) const override {
    return std::make_unique<optim::AdamW>(model.named_parameters(),
                                          c.optimizer.as<BetaOptions>().adamw(c));
  }
};

}  // namespace

const Entry& adam_optimizer() {
  static const AdamEntry entry;
  return entry;
}
const Entry& adamw_optimizer() {
  static const AdamWEntry entry;
  return entry;
}

}  // namespace weft::train
