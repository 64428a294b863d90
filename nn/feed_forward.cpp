#include "nn/feed_forward.h"

#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"

namespace weft::nn {
namespace {

std::int64_t hidden_size(const FeedForwardOptions& options) {
  return options.hidden > 0 ? options.hidden : 4 * options.n_embd;
}

}  // namespace

Tensor activate(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return relu(x);
    case Activation::relu_squared:
      return square(relu(x));
    case Activation::gelu_erf:
      return gelu(x, Gelu::erf);
    case Activation::gelu_tanh:
      return gelu(x, Gelu::tanh);
    case Activation::swiglu:
      break;
  }
  fail<ConfigError>(
      "activation",
      "swiglu gates one half of its features with the other, and only FeedForward makes both");
}

FeedForward::FeedForward(const FeedForwardOptions& options)
    : Module("FeedForward"),
      fc(*this, options.naming == Naming::timm ? "fc1" : "c_fc", options.n_embd,
         hidden_size(options) * (options.activation == Activation::swiglu ? 2 : 1),
         LinearOptions{.bias = options.bias, .init = options.init}),
      proj(*this, options.naming == Naming::timm ? "fc2" : "c_proj", hidden_size(options),
           options.n_embd,
           LinearOptions{.bias = options.bias, .init = options.proj_init.value_or(options.init)}),
      drop(*this, "dropout", options.dropout),
      activation_(options.activation) {}

Tensor FeedForward::forward(const Tensor& x) const {
  const Tensor features = fc(x);
  if (activation_ != Activation::swiglu) return drop(proj(activate(features, activation_)));
  const std::int64_t hidden = features.size(-1) / 2;
  const std::vector<Tensor> halves = split(features, {hidden, hidden}, -1);
  return drop(proj(silu(halves[0]) * halves[1]));
}

std::string FeedForward::details() const { return std::string(to_name(activation_)); }

}  // namespace weft::nn
