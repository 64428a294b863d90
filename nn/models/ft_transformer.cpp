#include "nn/models/ft_transformer.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const FtTransformerConfig& checked_ft_transformer(const FtTransformerConfig& config) {
  config.validate();
  return config;
}

/// Uniform in +-1 / sqrt C, as the paper's appendix E says of weights, biases and the class token.
init::Initializer tokenizer_init(const FtTransformerConfig& config) {
  const double bound = 1 / std::sqrt(static_cast<double>(config.n_embd));
  return init::uniform(-bound, bound);
}

}  // namespace

std::int64_t FtTransformerConfig::hidden_size() const {
  return std::max<std::int64_t>(1, std::llround(mlp_ratio * static_cast<double>(n_embd)));
}

void FtTransformerConfig::validate() const {
  const ConfigCheck check("ft_transformer");
  double features = 1;
  for (const std::int64_t size : input_shape) {
    check.size("every size of input_shape", size, kMaxVocabulary);
    features *= static_cast<double>(size);
  }
  if (features > static_cast<double>(kMaxContext))
    check.fail(
        fmt::format("input_shape {} has more than {} features", input_shape.str(), kMaxContext));
  if (input_shape.rank() >= Shape::kMaxRank)
    check.fail(fmt::format("input_shape may have at most {} dimensions", Shape::kMaxRank - 1));
  std::int64_t grouped = 0;
  for (const std::int64_t size : groups) {
    check.size("every size of groups", size, kMaxContext);
    grouped += size;
  }
  if (!groups.empty() && grouped != n_feature())
    check.fail(fmt::format("groups hold {} features, and a row has {}", grouped, n_feature()));
  check.size("n_class", n_class, kMaxVocabulary);
  check.size("n_layer", n_layer, kMaxLayers);
  check.size("n_embd", n_embd, kMaxWidth);
  check.heads(n_embd, n_head, 0, 0, Positions::none);
  check.feed_forward(n_embd, mlp_ratio);
  check.probability("dropout", dropout);
  check_fits<FtTransformer>(check, *this);
}

FtTransformer::FtTransformer(const FtTransformerConfig& config)
    : Model("FtTransformer"),
      config_(checked_ft_transformer(config)),
      weight(*this, "weight", {config_.n_feature(), config_.n_embd}, tokenizer_init(config_)),
      bias(*this, "bias", {config_.n_column(), config_.n_embd}, tokenizer_init(config_)),
      cls_token(*this, "cls_token", {1, 1, config_.n_embd}, tokenizer_init(config_)),
      blocks(*this, "blocks"),
      norm(*this, "norm", make_norm(config_.n_embd, {.kind = config_.norm})),
      head(*this, "head", config_.n_embd, config_.n_class) {
  const BlockOptions options{.attention = {.n_embd = config_.n_embd,
                                           .n_head = config_.n_head,
                                           .dropout = config_.dropout,
                                           .naming = Naming::timm},
                             .feed_forward = {.n_embd = config_.n_embd,
                                              .hidden = config_.hidden_size(),
                                              .activation = config_.activation,
                                              .dropout = config_.dropout,
                                              .naming = Naming::timm},
                             .norm = {.kind = config_.norm}};
  for (std::int64_t i = 0; i < config_.n_layer; ++i) blocks.emplace(options);
}

Tensor FtTransformer::tokens(const Tensor& features) const {
  const std::int64_t batch = features.size(0), width = config_.n_embd;
  const auto own_vectors = [&](std::int64_t begin, std::int64_t end) {
    return reshape(slice(features, 1, begin, end), {batch, end - begin, 1}) *
           slice(weight, 0, begin, end);
  };
  if (config_.groups.empty()) return reshape(features, {batch, config_.n_feature(), 1}) * weight;
  std::vector<Tensor> parts;
  std::int64_t begin = 0, end = 0;  // of features that are tokens by themselves, so far
  for (const std::int64_t size : config_.groups) {
    if (size > 1 && begin < end) parts.push_back(own_vectors(begin, end));
    if (size > 1) {
      parts.push_back(
          reshape(matmul(slice(features, 1, end, end + size), slice(weight, 0, end, end + size)),
                  {batch, 1, width}));
      begin = end + size;
    }
    end += size;
  }
  if (begin < end) parts.push_back(own_vectors(begin, end));
  return parts.size() == 1 ? parts.front() : cat(parts, 1);
}

Tensor FtTransformer::forward(const Tensor& x) const {
  const Shape& wanted = config_.input_shape;
  if (x.rank() != wanted.rank() + 1 ||
      !std::equal(wanted.begin(), wanted.end(), x.shape().begin() + 1))
    fail<ShapeError>("ft_transformer", "expects a batch of {}, got {}", wanted.str(),
                     x.shape().str());
  const std::int64_t batch = x.size(0), width = config_.n_embd;
  const Tensor features = tokens(reshape(x, {batch, wanted.numel()})) + bias;
  Tensor y = cat({expand(cls_token, {batch, 1, width}), features}, 1);
  for (std::size_t i = 0; i < blocks.size(); ++i) y = blocks[i](y);
  return head(relu(norm(select(y, 1, 0))));
}

Tensor FtTransformer::example_input(std::int64_t batch) const {
  Shape shape = config_.input_shape;
  shape.insert(0, batch);
  return Tensor::zeros(shape, dtype());
}

std::string FtTransformer::details() const {
  return fmt::format("{} features, {} layers, {} heads, width {}", config_.n_column(),
                     config_.n_layer, config_.n_head, config_.n_embd);
}

}  // namespace weft::nn
