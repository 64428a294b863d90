// Runs whose length is counted in epochs, and which may end within one.
// Not for users: what the kinds with such runs share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "train/tasks/common/kind.h"

namespace weft::train {

/// The choices `epochs` and `steps` of a configuration that has both, beside each other in help.
template <class C>
Fields length_fields(const std::string& of_what) {
  return {
      {"epochs", "Optimization", &C::epochs, "passes over all training " + of_what, 1, 1e6},
      {"steps", "Optimization", &C::steps,
       "optimizer steps after which the run ends, within its epochs (0: at their end)", 0, kMany}};
}

/// Steps of a run over `per_epoch` batches an epoch. Throws ConfigError where the epochs have fewer
/// than `steps`, or none.
template <class C>
std::int64_t steps_of(const C& c, std::int64_t per_epoch) {
  const std::int64_t all = per_epoch * c.epochs / c.accumulate;
  if (all < 1)
    fail<ConfigError>("config",
                      "accumulate is longer than the run: accumulate {}, {} batches; lower "
                      "--accumulate, or raise --epochs",
                      c.accumulate, per_epoch * c.epochs);
  if (c.steps > all)
    fail<ConfigError>(
        "config",
        "steps must lie within the epochs: steps {}, {} in {} epoch{}; lower --steps, "
        "or raise --epochs",
        c.steps, all, c.epochs, c.epochs == 1 ? "" : "s");
  return c.steps > 0 ? c.steps : all;
}

/// A kind whose runs are as long as their choices `epochs` and `steps` say.
template <class C>
class KindByEpochs : public KindOf<C> {
 public:
  Length length(const RunConfig& config, const DataFacts& data) const override {
    const C& c = this->own(config);
    const std::int64_t per_epoch = batches_per_epoch(c, data), steps = steps_of(c, per_epoch);
    const std::int64_t batches = steps * c.accumulate;
    const std::int64_t samples =
        batches / per_epoch * examples_per_epoch(c, data) + batches % per_epoch * c.batch;
    return {.steps = steps, .samples = static_cast<double>(samples)};
  }
  /// Any number of steps, over as many epochs as have them.
  void set_steps(RunConfig& config, std::int64_t steps, const DataFacts& data) const override {
    C& c = this->own(config);
    const std::int64_t per_epoch = std::max<std::int64_t>(1, batches_per_epoch(c, data));
    c.steps = steps;
    c.epochs = std::max<std::int64_t>(1, (steps * c.accumulate + per_epoch - 1) / per_epoch);
  }

 protected:
  /// Batches of an epoch, as the data cut it.
  virtual std::int64_t batches_per_epoch(const C& config, const DataFacts& data) const = 0;
  /// Examples in them.
  virtual std::int64_t examples_per_epoch(const C& config, const DataFacts& data) const {
    return batches_per_epoch(config, data) * config.batch;
  }
};

}  // namespace weft::train
