// How much memory a run will need, found out before it starts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/memory_limits.h"
#include "train/loop/prepared.h"

namespace weft::train {

struct MemoryNeed {
  double tensors_mib = 0;  ///< most that tensors will hold at once, in training or in an evaluation
  double process_mib =
      0;  ///< most that the process will hold: what `peak_mib` in summary.json will say
  std::int64_t batch = 0;  ///< that it was found for
  double per_example_mib = 0;
};

/// Makes a few steps with a few examples, and batches of an evaluation, on a model that is thrown
/// away. What the whole batch takes beyond that the model itself says (`told`, asked without
/// elements) where every batch has the same shapes. Elsewhere twice as many examples are tried:
/// memory grows as the batch does, so the line through the two says what the whole batch takes,
/// which is then tried too where that is little. What is no tensor (the
/// program, the data, scratch space, what the C library keeps) is measured on the process itself.
/// Where the whole batch surely fits it is tried at once. Takes about as long as loading the data
/// twice or three times and a few steps; a vocabulary is learned once. The random streams start
/// anew.
/// `prepare` makes the run that is thrown away, with a batch of so many examples.
using PrepareBatch = std::function<Prepared(std::int64_t batch)>;
/// MiB that the tensors of a step of so many examples hold at their most; empty where only a trial
/// can tell.
using ToldMib = std::function<double(std::int64_t batch)>;
MemoryNeed estimate_memory(const PrepareBatch& prepare, const RunConfig& config,
                           const ToldMib& told = {});

std::string to_json(const MemoryNeed& need);
/// What to_json() wrote; zeros for anything else.
MemoryNeed memory_need_from_json(const std::string& json);

/// Throws ConfigError when the need is above what is there, with both figures and what to change.
void check_memory_need(const MemoryNeed& need, const AvailableMemory& there = available_memory());

}  // namespace weft::train
