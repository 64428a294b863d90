#include "nn/linear.h"

#include <cmath>

#include "autograd/ops/matmul.h"

namespace weft::nn {
namespace {

init::Initializer bias_init(const LinearOptions& options, std::int64_t in) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return options.init.defined() ? init::zeros() : init::uniform(-bound, bound);
}

void check(std::int64_t in, std::int64_t out) {
  if (in < 1 || out < 1)
    fail<ConfigError>("Linear", "sizes must be at least 1, got {} -> {}", in, out);
}

}  // namespace

Linear::Linear(std::int64_t in, std::int64_t out, const LinearOptions& options)
    : Module((check(in, out), "Linear")),
      weight(options.tied
                 ? Parameter(*this, "weight", *options.tied)
                 : Parameter(*this, "weight", {out, in},
                             options.init.value_or(init::kaiming_uniform(std::sqrt(5.0))))),
      bias(*this, "bias", {out}, bias_init(options, in), options.bias) {
  if (weight->shape() != Shape{out, in})
    fail<ShapeError>("Linear", "the tied weight is {}, this layer needs {}", weight->shape().str(),
                     Shape{out, in}.str());
}

Tensor Linear::forward(const Tensor& x) const { return linear(x, weight, bias); }

std::string Linear::details() const {
  return fmt::format("{} -> {}{}", weight->size(1), weight->size(0),
                     bias.defined() ? "" : ", no bias");
}

}  // namespace weft::nn
