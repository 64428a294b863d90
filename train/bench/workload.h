// The training step that is timed.
#pragma once

#include <memory>

#include "optim/adam.h"
#include "train/bench/plan.h"

namespace weft::bench {

/// The plan's model on one batch that is made once, of random data. AdamW(1e-3, 0.9, 0.99), weight
/// decay 0.1 on everything, as PyTorch does by default.
class Workload {
 public:
  /// Throws ConfigError, MemoryError.
  explicit Workload(const Plan& plan);

  Tensor loss() const { return work_.loss(); }
  void zero_grad() { optimizer_->zero_grad(); }
  void update() { optimizer_->step(); }
  /// Zeroed gradients, forward, loss, backward, update. Returns the loss as a tensor, unread.
  Tensor step();
  const nn::Module& model() const { return *work_.model; }
  std::int64_t parameters() const { return work_.model->num_parameters(); }

 private:
  Work work_;
  std::unique_ptr<optim::AdamW> optimizer_;
};

}  // namespace weft::bench
