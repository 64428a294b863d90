#include "optim/sgd.h"

#include "train/loop/optimizer_entry.h"

namespace weft::train {
namespace {

struct SgdChoices : OptimizerOptions {
  double momentum = 0.95;
};

class SgdEntry : public OptimizerOf<SgdChoices> {
 public:
  std::string name() const override { return "sgd"; }
  std::string about() const override { return "gradients with momentum"; }
  const Fields& fields() const override {
    static const Fields table = {{"momentum", "Optimization", &SgdChoices::momentum,
                                  "decay of the sum of gradients", 0, 0.9999}};
    return table;
  }
  std::unique_ptr<optim::Optimizer> build(const RunConfig& c,
                                          const nn::Module& model) const override {
    return std::make_unique<optim::Sgd>(
        model.named_parameters(),
        optim::SgdOptions{.lr = c.lr,
                          .momentum = c.optimizer.as<SgdChoices>().momentum,
                          .weight_decay = c.weight_decay});
  }
};

}  // namespace

const Entry& sgd_optimizer() {
  static const SgdEntry entry;
  return entry;
}

}  // namespace weft::train
