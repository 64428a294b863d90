#include "nn/models/mlp.h"

#include "autograd/ops/shape_ops.h"
#include "nn/check.h"
#include "nn/feed_forward.h"

namespace weft::nn {
namespace {

const MlpConfig& checked(const MlpConfig& config) {
  config.validate();
  return config;
}

/// Sizes from the input to the output.
std::vector<std::int64_t> sizes(const MlpConfig& config) {
  std::vector<std::int64_t> all{config.input_shape.numel()};
  all.insert(all.end(), config.hidden.begin(), config.hidden.end());
  all.push_back(config.n_class);
  return all;
}

}  // namespace

void MlpConfig::validate() const {
  const ConfigCheck check("mlp");
  double features = 1;
  for (const std::int64_t size : input_shape) {
    check.size("every size of input_shape", size, kMaxVocabulary);
    features *= static_cast<double>(size);
  }
  if (features > static_cast<double>(kMaxVocabulary))
    check.fail(
        fmt::format("input_shape {} has more than {} features", input_shape.str(), kMaxVocabulary));
  if (input_shape.rank() >= Shape::kMaxRank)
    check.fail(fmt::format("input_shape may have at most {} dimensions", Shape::kMaxRank - 1));
  check.size("n_class", n_class, kMaxVocabulary);
  if (static_cast<std::int64_t>(hidden.size()) > kMaxLayers)
    check.fail(fmt::format("at most {} hidden layers, got {}", kMaxLayers, hidden.size()));
  for (const std::int64_t width : hidden) check.size("every width of hidden", width, kMaxWidth);
  if (activation == Activation::swiglu)
    check.fail(
        "activation swiglu belongs to transformers; use relu, relu_squared, gelu_erf or gelu_tanh");
  check.probability("dropout", dropout);
  check_fits<Mlp>(check, *this);
}

Mlp::Mlp(const MlpConfig& config)
    : Model("Mlp"), config_(checked(config)), drop(*this, "dropout", config_.dropout) {
  const std::vector<std::int64_t> all = sizes(config_);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) layers.emplace(all[i], all[i + 1]);
}

Tensor Mlp::forward(const Tensor& x) const {
  const Shape& wanted = config_.input_shape;
  if (x.rank() != wanted.rank() + 1 ||
      !std::equal(wanted.begin(), wanted.end(), x.shape().begin() + 1))
    fail<ShapeError>("mlp", "expects a batch of {}, got {}", wanted.str(), x.shape().str());
  Tensor y = reshape(x, {x.size(0), wanted.numel()});
  for (std::size_t i = 0; i + 1 < layers.size(); ++i)
    y = drop(activate(layers[i](y), config_.activation));
  return layers[layers.size() - 1](y);
}

Tensor Mlp::example_input(std::int64_t batch) const {
  Shape shape = config_.input_shape;
  shape.insert(0, batch);
  return Tensor::zeros(shape, dtype());
}

std::string Mlp::details() const {
  return fmt::format("{} hidden layers, {}", config_.hidden.size(), to_name(config_.activation));
}

}  // namespace weft::nn
