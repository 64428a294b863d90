#include "nn/conv2d.h"

#include <cmath>

namespace weft::nn {
namespace {

std::string kernel_text(Size2 kernel) {
  return kernel.rows() == kernel.columns()
             ? fmt::format("{}", kernel.rows())
             : fmt::format("{} x {}", kernel.rows(), kernel.columns());
}

Shape weight_shape(std::int64_t in, std::int64_t out, Size2 kernel, std::int64_t groups) {
  if (in < 1 || out < 1 || kernel.rows() < 1 || kernel.columns() < 1 || groups < 1)
    fail<ConfigError>("Conv2d", "sizes must be at least 1, got {} -> {}, kernel {}, groups {}", in,
                      out, kernel_text(kernel), groups);
  if (in % groups || out % groups)
    fail<ConfigError>("Conv2d", "{} groups do not divide {} -> {} channels", groups, in, out);
  return {out, in / groups, kernel.rows(), kernel.columns()};
}

init::Initializer bias_init(const Conv2dLayerOptions& options, std::int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return options.init.defined() ? init::zeros() : init::uniform(-bound, bound);
}

}  // namespace

Conv2d::Conv2d(std::int64_t in, std::int64_t out, Size2 kernel, const Conv2dLayerOptions& options)
    : Module("Conv2d"),
      weight(*this, "weight", weight_shape(in, out, kernel, options.groups),
             options.init.value_or(init::kaiming_uniform(std::sqrt(5.0)))),
      bias(*this, "bias", {out},
           bias_init(options, in / options.groups * kernel.rows() * kernel.columns()),
           options.bias),
      options_{.stride = options.stride, .padding = options.padding, .groups = options.groups} {}

Tensor Conv2d::forward(const Tensor& x) const { return conv2d(x, weight, bias, options_); }

std::string Conv2d::details() const {
  return fmt::format("{} -> {}, kernel {}{}", weight->size(1) * options_.groups, weight->size(0),
                     kernel_text({weight->size(2), weight->size(3)}),
                     bias.defined() ? "" : ", no bias");
}

}  // namespace weft::nn
