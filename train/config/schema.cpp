#include "train/config/schema.h"

namespace weft::train {

void Schema::start_from_model(RunConfig&, const RunConfig&) const {}

std::string Schema::meaningless(const RunConfig& c, const std::string& name) const {
  if (name == "muon_lr" && c.optimizer != "muon") return "optimizer " + c.optimizer;
  if (name == "momentum" && c.optimizer != "muon" && c.optimizer != "sgd")
    return "optimizer " + c.optimizer;
  if ((name == "beta1" || name == "beta2") && c.optimizer == "sgd")
    return "optimizer " + c.optimizer;
  if (name == "init_std" && c.init != "gpt2") return "init " + c.init;
  if (name == "decay" && c.schedule != "wsd") return "schedule " + c.schedule;
  if (name == "final_lr" && c.schedule == "constant") return "schedule " + c.schedule;
  return "";
}

}  // namespace weft::train
