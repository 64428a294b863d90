// A tokens run that is used. It can be measured; rows of its own make no sense to it without the
// units of those it learned from.
#pragma once

#include <memory>

#include "train/tasks/common/loaded_run.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {

class TokensRun final : public LoadedRun {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit TokensRun(const RunFacts& run);

  nn::Description layers() const override { return nn::describe(*model_); }

 private:
  std::unique_ptr<nn::Model> model_;  ///< in evaluation mode
};

}  // namespace weft::train
