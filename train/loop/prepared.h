// A task with its configuration, ready to go.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "train/config/run_config.h"
#include "train/loop/trainer.h"

namespace weft::train {

/// A task that is ready to be trained or evaluated.
struct Prepared {
  std::unique_ptr<Task> task;
  std::unique_ptr<RunConfig> config;  ///< settled
  std::int64_t steps = 0;
  bool has_test = false;
  std::vector<std::string> notes{};  ///< what whoever trains on the data should know, in sentences
};

}  // namespace weft::train
