#include "train/loop/build_optimizer.h"

#include <set>

#include "optim/ema.h"
#include "train/loop/optimizer_entry.h"

namespace weft::train {
optim::NamedTensors saved_buffers(const nn::Module& model) {
  std::set<std::string> saved;
  for (const auto& [name, tensor] : model.state_dict()) saved.insert(name);
  optim::NamedTensors buffers = model.named_buffers();
  std::erase_if(buffers, [&](const auto& buffer) { return !saved.contains(buffer.first); });
  return buffers;
}

std::unique_ptr<optim::Optimizer> build_optimizer(const RunConfig& c, const nn::Module& model) {
  return static_cast<const OptimizerEntry&>(c.optimizer.entry()).build(c, model);
}

std::function<void()> build_update(const RunConfig& config, const nn::Module& model) {
  const std::shared_ptr<optim::Optimizer> optimizer = build_optimizer(config, model);
  if (config.ema == 0) return [optimizer] { optimizer->step(); };
  const auto average =
      std::make_shared<optim::Ema>(model.named_parameters(), config.ema, saved_buffers(model));
  return [optimizer, average] {
    optimizer->step();
    average->update();
  };
}

optim::LrSchedule build_schedule(const RunConfig& c, std::int64_t steps) {
  const optim::LrSchedule schedule{.kind = optim::schedule_from_name(c.schedule),
                                   .steps = steps,
                                   .warmup = c.warmup,
                                   .min_factor = c.final_lr,
                                   .decay_fraction = c.decay};
  schedule.validate();
  return schedule;
}

}  // namespace weft::train
