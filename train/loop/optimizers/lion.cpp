#include "optim/lion.h"

#include "train/loop/optimizers/beta_options.h"

namespace weft::train {
namespace {

class LionEntry : public BetaOptimizer {
 public:
  std::string name() const override { return "lion"; }
  std::string about() const override { return "signs of averaged gradients"; }
  std::unique_ptr<optim::Optimizer> build(const RunConfig& c,
                                          const nn::Module& model) const override {
    const auto& o = c.optimizer.as<BetaOptions>();
    return std::make_unique<optim::Lion>(
        model.named_parameters(),
        optim::LionOptions{
            .lr = c.lr, .beta1 = o.beta1, .beta2 = o.beta2, .weight_decay = c.weight_decay});
  }
};

}  // namespace

const Entry& lion_optimizer() {
  static const LionEntry entry;
  return entry;
}

}  // namespace weft::train
