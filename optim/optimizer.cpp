#include "optim/optimizer.h"

#include <cmath>
#include <set>

#include "autograd/autograd.h"

namespace weft::optim {

NamedTensors with_names(const std::vector<Tensor>& parameters) {
  NamedTensors named;
  for (std::size_t i = 0; i < parameters.size(); ++i) named.emplace_back(std::to_string(i), parameters[i]);
  return named;
}

Optimizer::Optimizer(NamedTensors parameters) : parameters_(std::move(parameters)) {
  if (parameters_.empty()) fail<ConfigError>("optimizer", "no parameters to optimize");
  std::set<std::string> names;
  for (const auto& [name, tensor] : parameters_) {
    if (!names.insert(name).second) fail<ConfigError>("optimizer", "parameter `{}` was given twice", name);
    if (!tensor.defined() || !is_float(tensor.dtype()) || !tensor.is_contiguous())
      fail<ConfigError>("optimizer", "parameter `{}` must be a contiguous f32 or f64 tensor", name);
  }
}

void Optimizer::step() { step_as(steps_ + 1); }

void Optimizer::step_as(std::int64_t count) {
  const NoGrad no_grad;
  steps_ = count;
  update();
}

void Optimizer::zero_grad() {
  for (const auto& [name, tensor] : parameters_) tensor.zero_grad();
}

void Optimizer::load_state(const std::map<std::string, Tensor>& saved, std::int64_t steps) {
  const NamedTensors mine = state();
  for (const auto& [name, tensor] : mine) {
    const auto found = saved.find(name);
    if (found == saved.end()) fail<ConfigError>("optimizer", "the saved state has no `{}`; was it saved by another optimizer?", name);
    if (found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype())
      fail<ShapeError>("optimizer", "saved state `{}` is {} {}, this model wants {} {}", name, found->second.shape().str(), weft::name(found->second.dtype()),
                       tensor.shape().str(), weft::name(tensor.dtype()));
  }
  for (const auto& [name, tensor] : mine) tensor.copy_from(saved.at(name));
  steps_ = steps;
}

std::vector<Tensor> Optimizer::zeros_like_parameters() const {
  std::vector<Tensor> tensors;
  for (const auto& [name, tensor] : parameters_) tensors.push_back(Tensor::zeros(tensor.shape(), tensor.dtype()));
  return tensors;
}

NamedTensors Optimizer::named(const std::string& buffer, const std::vector<Tensor>& tensors) const {
  NamedTensors result;
  for (std::size_t i = 0; i < tensors.size(); ++i) result.emplace_back(buffer + "." + parameters_[i].first, tensors[i]);
  return result;
}

bool decays(Decay decay, const Tensor& parameter) { return decay == Decay::all || parameter.rank() >= 2; }

void require_in(const char* who, const char* what, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return;
  if (std::isinf(high)) fail<ConfigError>(who, "{} must be a finite number of at least {}, got {}", what, low, value);
  fail<ConfigError>(who, "{} must be between {} and {}, got {}", what, low, high, value);
}

}  // namespace weft::optim
