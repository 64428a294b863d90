#include "nn/models/factorization_machine.h"

#include <algorithm>

#include "autograd/ops/binary.h"
#include "autograd/ops/interaction.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const FactorizationMachineConfig& checked_machine(const FactorizationMachineConfig& config) {
  config.validate();
  return config;
}

}  // namespace

void FactorizationMachineConfig::validate() const {
  const ConfigCheck check("factorization_machine");
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
  check.size("n_factor", n_factor, kMaxWidth);
  check.at_least_zero("init_std", init_std);
  check_fits<FactorizationMachine>(check, *this);
}

FactorizationMachine::FactorizationMachine(const FactorizationMachineConfig& config)
    : Model("FactorizationMachine"),
      config_(checked_machine(config)),
      bias(*this, "bias", {1}, init::zeros()),
      weight(*this, "weight", {config_.input_shape.numel()}, init::zeros()),
      factors(*this, "factors", {config_.input_shape.numel(), config_.n_factor},
              init::normal(config_.init_std)) {}

Tensor FactorizationMachine::forward(const Tensor& x) const {
  const Shape& wanted = config_.input_shape;
  if (x.rank() != wanted.rank() + 1 ||
      !std::equal(wanted.begin(), wanted.end(), x.shape().begin() + 1))
    fail<ShapeError>("factorization_machine", "expects a batch of {}, got {}", wanted.str(),
                     x.shape().str());
  const Tensor flat = reshape(x, {x.size(0), wanted.numel()});
  const Tensor first = matmul(flat, weight), second = pairwise_interactions(flat, factors);
  return reshape(first + second, {x.size(0), 1}) + bias;
}

Tensor FactorizationMachine::example_input(std::int64_t batch) const {
  Shape shape = config_.input_shape;
  shape.insert(0, batch);
  return Tensor::zeros(shape, dtype());
}

std::string FactorizationMachine::details() const {
  return fmt::format("{} features, {} factors", config_.input_shape.numel(), config_.n_factor);
}

}  // namespace weft::nn
