// A sequence run that is used. It can be measured; there is nothing to ask it that its own data do
// not ask.
#pragma once

#include <functional>
#include <memory>

#include "train/tasks/common/loaded_run.h"
#include "train/tasks/sequence/sequence_task.h"

namespace weft::train {

class SequenceRun final : public LoadedRun {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit SequenceRun(const RunFacts& run);

  nn::Description layers() const override;

 private:
  std::unique_ptr<SequenceTask> task_;
};

}  // namespace weft::train
