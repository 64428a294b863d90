#include "nn/dice.h"

#include <fmt/format.h>

#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

constexpr double kDiceEps = 1e-8;
constexpr double kStartingSlope = 0.25;

std::int64_t checked_channels(const char* where, std::int64_t n_channel) {
  ConfigCheck(where).size("n_channel", n_channel, kMaxWidth);
  return n_channel;
}

/// average <- (1 - share) average + share value
void blend(const Tensor& average, const Tensor& value, double share) {
  average.copy_from(mul(average, 1 - share));
  raw::add_scaled(average, raw::cast(raw::reshape(value.detach(), average.shape()), average.dtype()), share);
}

}  // namespace

Dice::Dice(std::int64_t n_channel, double momentum)
    : Module("Dice"),
      n_channel_(checked_channels("dice", n_channel)),
      momentum_(momentum),
      alpha(*this, "alpha", {n_channel}, init::constant(kStartingSlope)),
      running_mean(*this, "running_mean", Tensor::zeros({n_channel}), true),
      running_var(*this, "running_var", Tensor::ones({n_channel}), true) {
  if (!(momentum > 0 && momentum <= 1)) fail<ConfigError>("dice", "momentum must be above 0 and at most 1, got {}", momentum);
}

Tensor Dice::forward(const Tensor& x) const {
  if (x.rank() != 2 || x.size(1) != n_channel_) fail<ShapeError>("dice", "made for (N, {}), got {}", n_channel_, x.shape().str());
  Tensor centre = raw::cast(running_mean, x.dtype()), spread = raw::cast(running_var, x.dtype());
  if (is_training()) {
    if (x.size(0) < 1) fail<ShapeError>("dice", "a training batch needs at least one row: got {}", x.shape().str());
    centre = mean(x, {0}, true);
    spread = var(x, {0}, 0, true);
    blend(running_mean, centre, momentum_);
    blend(running_var, spread, momentum_);
  }
  const Tensor gate = sigmoid((x - centre) * rsqrt(spread + kDiceEps));
  const Tensor& slope = alpha;
  return x * (slope + gate * (1.0 - slope));
}

std::string Dice::details() const { return fmt::format("{} channels", n_channel_); }

PRelu::PRelu(std::int64_t n_channel)
    : Module("PRelu"), n_channel_(checked_channels("prelu", n_channel)), alpha(*this, "alpha", {n_channel}, init::constant(kStartingSlope)) {}

Tensor PRelu::forward(const Tensor& x) const {
  if (x.rank() < 1 || x.size(-1) != n_channel_) fail<ShapeError>("prelu", "made for (..., {}), got {}", n_channel_, x.shape().str());
  return relu(x) - relu(-x) * alpha.get();
}

std::string PRelu::details() const { return fmt::format("{} channels", n_channel_); }

}  // namespace weft::nn
