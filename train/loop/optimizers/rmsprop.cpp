#include "optim/rmsprop.h"

#include "train/loop/optimizer_entry.h"

namespace weft::train {
namespace {

struct RmspropChoices : OptimizerOptions {
  double alpha = 0.99;
  bool centered = false;
  double momentum = 0;
};

class RmspropEntry : public OptimizerOf<RmspropChoices> {
 public:
  std::string name() const override { return "rmsprop"; }
  std::string about() const override { return "gradients over the root of their mean square"; }
  const Fields& fields() const override {
    static const Fields table = {
        {"momentum", "Optimization", &RmspropChoices::momentum, "decay of the sum of gradients", 0,
         0.9999},
        {"alpha", "Optimization", &RmspropChoices::alpha, "decay of rmsprop's mean of squares", 0,
         0.99999},
        {"centered", "Optimization", &RmspropChoices::centered,
         "rmsprop divides by the gradients' deviation, not by the root of their mean square"}};
    return table;
  }
  std::unique_ptr<optim::Optimizer> build(const RunConfig& c,
                                          const nn::Module& model) const override {
    const auto& o = c.optimizer.as<RmspropChoices>();
    return std::make_unique<optim::Rmsprop>(model.named_parameters(),
                                            optim::RmspropOptions{.lr = c.lr,
                                                                  .alpha = o.alpha,
                                                                  .momentum = o.momentum,
                                                                  .centered = o.centered,
                                                                  .weight_decay = c.weight_decay});
  }
};

}  // namespace

const Entry& rmsprop_optimizer() {
  static const RmspropEntry entry;
  return entry;
}

}  // namespace weft::train
