// An exponential moving average of weights.
#pragma once

#include "optim/optimizer.h"

namespace weft::optim {

/// average = decay average + (1 - decay) weight after each step; with the warm-up min(decay, (1 +
/// t) / (10 + t)) so that early averages are not the initial weights. It follows weights, not
/// gradients: t counts the updates, also for a parameter that stood still meanwhile. Source: Polyak
/// and Juditsky 1992; warm-up as TensorFlow's ExponentialMovingAverage documents it.
///
/// Buffers with floating-point elements (the running statistics of batch norms:
/// Module::named_buffers()) are averaged in the same way, as timm's ModelEmaV2 does and PyTorch's
/// AveragedModel with use_buffers=True: averaged weights make other activations than the last
/// weights, to which the statistics would belong otherwise. A buffer that never changes keeps its
/// bits, and integers (ids, masks) are left alone.
class Ema {
 public:
  /// Throws ConfigError unless 0 <= decay < 1, and as require_distinct().
  Ema(NamedTensors parameters, double decay, NamedTensors buffers = {});
  /// Throws ConfigError if a module has replaced one of the tensors.
  void update();
  /// Exchanges weights and averages: once before an evaluation, once after.
  void swap();
  bool swapped() const { return swapped_; }          ///< whether the averages are in the model
  std::int64_t updates() const { return updates_; }  ///< so far
  /// Live handles, named `ema.<parameter>` and `ema.<buffer>`.
  NamedTensors state() const;
  /// Throws ConfigError for a missing name, ShapeError for another shape or dtype; nothing is
  /// changed then.
  void load_state(const std::map<std::string, Tensor>& saved, std::int64_t updates);

 private:
  NamedTensors weights_;  ///< parameters, then buffers
  std::size_t parameter_count_;
  std::vector<Tensor> averages_;
  double decay_;
  std::int64_t updates_ = 0;
  bool swapped_ = false;
};

}  // namespace weft::optim
