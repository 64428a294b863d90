#include "train/tasks/common/sketch.h"

#include <optional>

#include "core/error.h"
#include "core/shape_only.h"
#include "core/storage.h"
#include "train/loop/build_optimizer.h"

namespace weft::train {

Tensor sketched_ids(const Shape& shape) { return Tensor::empty(shape, DType::i64); }

double count_parameters(const MakeSketch& make) {
  const ShapeOnly shapes;
  return static_cast<double>(make().model->num_parameters());
}

double count_forward_flops(const MakeSketch& make, std::int64_t batch) {
  const ShapeOnly shapes;
  const Sketch sketch = make();
  batch = sketch.batch_of(batch);
  const auto of = [&](const auto& loss) {
    return nn::describe(*sketch.model, [&] { loss(batch); }).flops / static_cast<double>(batch);
  };
  const double flops = of(sketch.loss);
  if (!sketch.first_loss) return flops;
  return (1 - sketch.first_share) * flops + sketch.first_share * of(sketch.first_loss);
}

nn::StepDescription describe_step(const MakeSketch& make, const RunConfig& config,
                                  std::int64_t batch) {
  return nn::describe_step([&] {
    const Sketch sketch = make();
    return nn::StepParts{
        .module = sketch.model,
        .loss = [loss = sketch.loss, now = sketch.batch_of(batch)] { return loss(now); },
        .make_update = [&config, model = sketch.model] { return build_update(config, *model); }};
  });
}

void check_step_fits(const MakeSketch& make, const RunConfig& config) {
  const auto limit = static_cast<double>(memory_limit());
  const auto refuse = [&](const std::string& wanted) {
    fail<ConfigError>(
        "config", "this cannot fit in memory: {} for a batch of {}, {:.1f} GiB are available; {}",
        wanted, config.batch, limit / 0x1p30,
        "lower width, layers, context or batch (--accumulate makes up for a smaller batch)");
  };
  std::optional<nn::StepDescription> step;
  try {
    constexpr double kSurely = 2;
    std::int64_t described = 0;
    const auto peak = [&](std::int64_t batch) {
      step = describe_step(make, config, described = batch);
      return step->memory.peak;
    };
    const double all = nn::estimated_peak(peak, config.batch);
    if (all > kSurely * limit)
      refuse(fmt::format("about {:.1f} GiB with {:.3g} parameters", all / 0x1p30,
                         static_cast<double>(step->step.parameters)));
    if (described != config.batch) peak(config.batch);
  } catch (const ShapeError&) {
    // More elements than 64 bits count, which the shape says of itself.
    refuse("at least 2^62 numbers");
  }
  if (step->memory.peak > limit)
    refuse(fmt::format("{:.1f} GiB with {:.3g} parameters", step->memory.peak / 0x1p30,
                       static_cast<double>(step->step.parameters)));
}

double training_flops(double forward_flops_of_a_sample, double samples) {
  return 3 * forward_flops_of_a_sample * samples;
}

}  // namespace weft::train
