// When a run may end early: `--until val_loss=1.93`.
#pragma once

#include <string>
#include <vector>

#include "train/config/run_config.h"

namespace weft::train {

/// A target that ends a run early, from `until`: "val_loss=1.93" is reached at or below it,
/// "val_accuracy=0.98" at or above.
struct Target {
  std::string figure;  ///< as in an Evaluation, "loss"; empty: no target
  double value = 0;
};

/// Throws ConfigError unless `text` is empty or `val_FIGURE=NUMBER` of a known figure.
Target parse_target(const std::string& text);

/// Throws ConfigError where `until` wants another figure than the loss and those that a run of this
/// kind has.
void check_target(const RunConfig& config, const std::vector<std::string>& figures,
                  const std::string& kind);

}  // namespace weft::train
