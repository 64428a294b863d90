// How much memory a run will need, found out before it starts.
#pragma once

#include <cstdint>
#include <string>

#include "train/kind.h"

namespace weft::train {

struct MemoryNeed {
  double tensors_mib = 0;  ///< most that tensors will hold at once, in training or in an evaluation
  double process_mib = 0;  ///< most that the process will hold: what `peak_mib` in summary.json will say
  std::int64_t batch = 0;  ///< that it was found for
  double per_example_mib = 0;
};

/// Makes one step with a few examples and one with twice as many, and a batch of an evaluation, on a model that is thrown away: memory grows as the batch does,
/// so the line through the two says what the whole batch takes. Takes about as long as loading the data twice. The random streams start anew.
MemoryNeed estimate_memory(const Kind& kind, const RunConfig& config);

std::string to_json(const MemoryNeed& need);
/// What to_json() wrote; zeros for anything else.
MemoryNeed memory_need_from_json(const std::string& json);

/// Throws ConfigError when the need is above what the machine (or its cgroup) has, with the figure and what to change.
void check_memory_need(const MemoryNeed& need);

}  // namespace weft::train
