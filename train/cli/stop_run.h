// A training run that signals stop: saved from the moment on that there is something to save.
#pragma once

#include <optional>

#include "train/cli/stop.h"
#include "train/loop/trainer.h"

namespace weft::cli {

/// `saving` lives from the end of the run's preparation on; both must outlive the run.
inline train::RunOptions stoppable(train::RunOptions options, std::optional<SaveFirst>& saving) {
  options.prepared = [&saving] { saving.emplace(); };
  options.stop = stop_requested;
  options.stop_within_step = stop_requested;
  return options;
}

}  // namespace weft::cli
