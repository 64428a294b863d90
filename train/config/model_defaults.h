// What a choice is where nobody makes it, for each model of a kind, or each optimizer: what the
// help shows is what will hold.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/config/schema.h"

namespace weft::train {

/// The models of a kind, the default one first; empty for a kind of one model.
std::vector<std::string> models_of(const Schema& schema);

/// A run of this model about which nothing else is said; empty names are the defaults.
std::unique_ptr<RunConfig> defaults_for(const Schema& schema, const std::string& model,
                                        const std::string& optimizer = "");

struct Defaults {
  std::vector<std::pair<std::string, std::vector<std::string>>>
      by_entry{};     ///< value, and the models or optimizers that begin with it
  bool some = false;  ///< not all of them have this choice
};
Defaults defaults_of(const Schema& schema, const Field& field);
/// "default: vit 6; mlp, cnn, lenet 2; resnet 1", "vit alone; default: 4".
std::string defaults_text(const Defaults& defaults);

}  // namespace weft::train
