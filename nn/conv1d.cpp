#include "nn/conv1d.h"

#include <cmath>

#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"

namespace weft::nn {
namespace {

Shape conv1d_weight_shape(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  if (in < 1 || out < 1 || kernel < 1)
    fail<ConfigError>("Conv1d", "sizes must be at least 1, got {} -> {}, kernel {}", in, out,
                      kernel);
  if (kernel % 2 == 0)
    fail<ConfigError>("Conv1d", "the kernel must be odd, so that it has a middle: got {}", kernel);
  return {out, in, kernel};
}

/// The bias of PyTorch's layer: uniform within the same bounds as the weight.
init::Initializer conv1d_bias_init(const init::Initializer& weight_init, std::int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return weight_init.defined() ? init::zeros() : init::uniform(-bound, bound);
}

}  // namespace

Conv1d::Conv1d(std::int64_t in, std::int64_t out, std::int64_t kernel,
               const init::Initializer& initializer)
    : Module("Conv1d"),
      weight(*this, "weight", conv1d_weight_shape(in, out, kernel),
             initializer.value_or(init::kaiming_uniform(std::sqrt(5.0)))),
      bias(*this, "bias", {out}, conv1d_bias_init(initializer, in * kernel)) {}

Tensor Conv1d::forward(const Tensor& x) const {
  const std::int64_t out_size = weight->size(0), in = weight->size(1), kernel = weight->size(2);
  if (x.rank() != 3 || x.size(2) != in)
    fail<ShapeError>("Conv1d", "expects (B, T, {}), got {}", in, x.shape().str());
  // Each token with its neighbors in one row: a linear layer of kernel x in inputs.
  const Tensor padded = pad(x, {0, 0, kernel / 2, kernel / 2});
  std::vector<Tensor> taps;
  for (std::int64_t i = 0; i < kernel; ++i) taps.push_back(slice(padded, 1, i, i + x.size(1)));
  return linear(cat(taps, 2), reshape(permute(weight, {0, 2, 1}), {out_size, kernel * in}), bias);
}

std::string Conv1d::details() const {
  return fmt::format("{} -> {}, kernel {}", weight->size(1), weight->size(0), weight->size(2));
}

}  // namespace weft::nn
