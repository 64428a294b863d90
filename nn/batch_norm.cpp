#include "nn/batch_norm.h"

#include "autograd/ops/batch_norm.h"

namespace weft::nn {
namespace {

Shape channel_shape(std::int64_t channels) {
  if (channels < 1)
    fail<ConfigError>("BatchNorm2d", "channels must be at least 1, got {}", channels);
  return {channels};
}

}  // namespace

BatchNorm2d::BatchNorm2d(std::int64_t channels, const BatchNorm2dOptions& options)
    : Module("BatchNorm2d"),
      weight(*this, "weight", channel_shape(channels), options.weight_init.value_or(init::ones())),
      bias(*this, "bias", {channels}, init::zeros()),
      running_mean(*this, "running_mean", Tensor::zeros({channels}), true),
      running_var(*this, "running_var", Tensor::ones({channels}), true),
      options_(options) {}

Tensor BatchNorm2d::forward(const Tensor& x) const {
  if (x.rank() != 4 || x.size(1) != weight->numel())
    fail<ShapeError>("BatchNorm2d", "expects images (B, {}, H, W), got {}", weight->numel(),
                     x.shape().str());
  // Statistics of another dtype are moved as copies: a gradient check hands in f64 parameters
  // alone.
  const Tensor mean = raw::cast(running_mean.get(), x.dtype()),
               variance = raw::cast(running_var.get(), x.dtype());
  const Tensor out = batch_norm(x, weight, bias,
                                {.training = is_training(),
                                 .running_mean = mean,
                                 .running_var = variance,
                                 .momentum = options_.momentum,
                                 .eps = options_.eps});
  if (is_training() && x.dtype() != running_mean.get().dtype()) {
    running_mean.get().copy_from(mean);
    running_var.get().copy_from(variance);
  }
  return out;
}

std::string BatchNorm2d::details() const { return fmt::format("{}", weight->numel()); }

}  // namespace weft::nn
