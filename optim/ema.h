// An exponential moving average of weights.
#pragma once

#include "optim/optimizer.h"

namespace weft::optim {

/// average = decay average + (1 - decay) weight after each step; with the warm-up min(decay, (1 + t) / (10 + t)) so that early averages are
/// not the initial weights. Source: Polyak and Juditsky 1992; warm-up as TensorFlow's ExponentialMovingAverage documents it.
class Ema {
 public:
  /// Throws ConfigError unless 0 <= decay < 1.
  Ema(NamedTensors parameters, double decay);
  void update();
  /// Exchanges weights and averages: once before an evaluation, once after.
  void swap();
  bool swapped() const { return swapped_; }
  std::int64_t updates() const { return updates_; }
  /// Live handles, named `ema.<parameter>`.
  NamedTensors state() const;
  void load_state(const std::map<std::string, Tensor>& saved, std::int64_t updates);

 private:
  NamedTensors parameters_;
  std::vector<Tensor> averages_;
  double decay_;
  std::int64_t updates_ = 0;
  bool swapped_ = false;
};

}  // namespace weft::optim
