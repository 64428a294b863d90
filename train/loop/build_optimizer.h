// From a configuration to the parts that every kind of run has: the optimizer and the schedule.
#pragma once

#include <functional>
#include <memory>

#include "nn/module.h"
#include "optim/lr_schedule.h"
#include "optim/optimizer.h"
#include "train/config/run_config.h"

namespace weft::train {

/// The model's buffers that are saved with its parameters: what forward passes change, as the
/// running statistics of batch norms.
optim::NamedTensors saved_buffers(const nn::Module& model);
/// The one that is chosen, of these parameters.
std::unique_ptr<optim::Optimizer> build_optimizer(const RunConfig& config, const nn::Module& model);
/// What the end of a step does: the optimizer's step() and, where the configuration asks for an
/// average of the weights, its update.
std::function<void()> build_update(const RunConfig& config, const nn::Module& model);
optim::LrSchedule build_schedule(const RunConfig& config, std::int64_t steps);

}  // namespace weft::train
