#include "nn/dice.h"

#include <fmt/format.h>

#include "autograd/ops/binary.h"
#include "autograd/ops/dice.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

constexpr double kStartingSlope = 0.25;

std::int64_t checked_channels(const char* where, std::int64_t n_channel) {
  ConfigCheck(where).size("n_channel", n_channel, kMaxWidth);
  return n_channel;
}

}  // namespace

Dice::Dice(std::int64_t n_channel, double momentum)
    : Module("Dice"),
      n_channel_(checked_channels("dice", n_channel)),
      momentum_(momentum),
      alpha(*this, "alpha", {n_channel}, init::constant(kStartingSlope)),
      running_mean(*this, "running_mean", Tensor::zeros({n_channel}), true),
      running_var(*this, "running_var", Tensor::ones({n_channel}), true) {
  if (!(momentum > 0 && momentum <= 1))
    fail<ConfigError>("dice", "momentum must be above 0 and at most 1, got {}", momentum);
}

Tensor Dice::forward(const Tensor& x) const {
  if (x.rank() != 2 || x.size(1) != n_channel_)
    fail<ShapeError>("dice", "expects (N, {}), got {}", n_channel_, x.shape().str());
  // Statistics of another dtype are moved as copies: a gradient check hands in f64 parameters
  // alone.
  const Tensor mean = raw::cast(running_mean.get(), x.dtype()),
               variance = raw::cast(running_var.get(), x.dtype());
  const Tensor out = weft::dice(x, alpha,
                                {.training = is_training(),
                                 .running_mean = mean,
                                 .running_var = variance,
                                 .momentum = momentum_});
  if (is_training() && x.dtype() != running_mean.get().dtype()) {
    running_mean.get().copy_from(mean);
    running_var.get().copy_from(variance);
  }
  return out;
}

std::string Dice::details() const { return fmt::format("{} channels", n_channel_); }

PRelu::PRelu(std::int64_t n_channel)
    : Module("PRelu"),
      n_channel_(checked_channels("prelu", n_channel)),
      alpha(*this, "alpha", {n_channel}, init::constant(kStartingSlope)) {}

Tensor PRelu::forward(const Tensor& x) const {
  if (x.rank() < 1 || x.size(-1) != n_channel_)
    fail<ShapeError>("prelu", "expects (..., {}), got {}", n_channel_, x.shape().str());
  const Tensor above = relu(x), below = relu(-x);
  return above - below * alpha.get();
}

std::string PRelu::details() const { return fmt::format("{} channels", n_channel_); }

}  // namespace weft::nn
