#include "train/tasks/sequence/sequence_run.h"

namespace weft::train {

SequenceRun::SequenceRun(const RunFacts& run)
    : LoadedRun(run),
      task_(std::make_unique<SequenceTask>(
          config_from_json<SequenceConfig>(run.config_json, run.checkpoint.string()))) {
  load_weights(run.checkpoint, task_->model());
  task_->model().eval();
}

nn::Description SequenceRun::layers() const {
  return nn::describe(task_->model(), [&] { task_->answer_one_row(); });
}

}  // namespace weft::train
