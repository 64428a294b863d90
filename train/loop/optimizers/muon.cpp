// Muon takes the matrices inside the network, AdamW the embeddings, the head and everything that is
// no matrix.
#include "optim/muon.h"

#include <algorithm>

#include "train/loop/optimizers/beta_options.h"

namespace weft::train {
namespace {

struct MuonChoices : BetaOptions {
  double muon_lr = 0.02;
  double momentum = 0.95;

  void scale_lr(double factor) override { muon_lr *= factor; }
};

/// Embeddings and heads are matrices to look, but their rows stand for themselves: an update that
/// mixes them makes no sense.
bool muon_takes(const std::string& name, const Tensor& tensor) {
  if (tensor.rank() < 2) return false;
  constexpr const char* kOutside[] = {"transformer.wte.",
                                      "transformer.wpe.",
                                      "wte.",
                                      "wpe.",
                                      "wpe_source.",
                                      "lm_head.",
                                      "head.",
                                      "cls_token",
                                      "pos_embed",
                                      "patch_embed.",
                                      "bert.embeddings.",
                                      "classifier."};
  return std::none_of(std::begin(kOutside), std::end(kOutside),
                      [&](const char* prefix) { return name.starts_with(prefix); });
}

class MuonEntry : public OptimizerOf<MuonChoices> {
 public:
  std::string name() const override { return "muon"; }
  std::string about() const override {
    return "orthogonalized updates of the blocks' matrices, adamw for the rest";
  }
  const Fields& fields() const override {
    static const Fields table = [] {
      const std::string group = "Optimization";
      Fields all = {
          {"muon_lr", group, &MuonChoices::muon_lr, "learning rate of the matrices that muon takes",
           kTiny, 1e6},
          {"momentum", group, &MuonChoices::momentum, "decay of the sum of gradients", 0, 0.9999}};
      append(all, beta_fields());
      return all;
    }();
    return table;
  }
  std::unique_ptr<optim::Optimizer> build(const RunConfig& c,
                                          const nn::Module& model) const override {
    const auto& o = c.optimizer.as<MuonChoices>();
    const auto& of_model = c.model.as<ModelOptions>();
    std::vector<optim::MuonMatrix> matrices;
    optim::NamedTensors rest;
    for (const auto& [name, tensor] : model.named_parameters()) {
      if (muon_takes(name, tensor))
        matrices.push_back({name, tensor, of_model.row_blocks(name)});
      else
        rest.emplace_back(name, tensor);
    }
    return std::make_unique<optim::Muon>(
        matrices, rest,
        optim::MuonOptions{.lr = o.muon_lr, .momentum = o.momentum, .weight_decay = c.weight_decay},
        o.adamw(c));
  }
};

}  // namespace

const Entry& muon_optimizer() {
  static const MuonEntry entry;
  return entry;
}

}  // namespace weft::train
