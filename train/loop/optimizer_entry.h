// An optimizer that runs may choose: one file in train/loop/optimizers/ and one line in
// train/loop/optimizers.cpp.
#pragma once

#include <memory>

#include "nn/module.h"
#include "optim/optimizer.h"
#include "train/config/config_fields.h"

namespace weft::train {

class OptimizerEntry : public Entry {
 public:
  /// Of a configuration whose optimizer is this one.
  virtual std::unique_ptr<optim::Optimizer> build(const RunConfig& config,
                                                  const nn::Module& model) const = 0;
};

template <class O>
using OptimizerOf = EntryOf<OptimizerEntry, O>;

}  // namespace weft::train
