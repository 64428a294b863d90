#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "autograd/autograd.h"

namespace weft::optim {
namespace {

constexpr std::string_view kCount = "step.";

/// The bytes of a contiguous tensor.
struct Extent {
  const std::byte* begin;
  const std::byte* end;
  const NamedTensor* of;
};

}  // namespace

NamedTensors with_names(const std::vector<Tensor>& parameters) {
  NamedTensors named;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    named.emplace_back(std::to_string(i), parameters[i]);
  return named;
}

void require_distinct(const char* who, const NamedTensors& tensors) {
  std::set<std::string> names;
  std::vector<Extent> extents;
  for (const NamedTensor& entry : tensors) {
    const auto& [name, tensor] = entry;
    if (!names.insert(name).second) fail<ConfigError>(who, "the name `{}` was given twice", name);
    if (!tensor.defined() || !is_float(tensor.dtype()) || !tensor.is_contiguous())
      fail<ConfigError>(who, "`{}` must be a contiguous f32 or f64 tensor", name);
    if (tensor.grad_meta() && tensor.grad_meta()->node)
      fail<ConfigError>(who,
                        "`{}` is the result of op `{}`, not a leaf: changing it trains nothing; "
                        "give the tensors it was computed from, or detach() it",
                        name, tensor.grad_meta()->node->op);
    const auto bytes = tensor.numel() * item_size(tensor.dtype());
    if (bytes > 0) extents.push_back({tensor.raw_data(), tensor.raw_data() + bytes, &entry});
  }
  std::stable_sort(extents.begin(), extents.end(),
                   [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < extents.size(); ++i) {
    const Extent &a = extents[i - 1], &b = extents[i];
    if (b.begin >= a.end) continue;
    const auto& first = a.of < b.of ? *a.of : *b.of;
    const auto& second = a.of < b.of ? *b.of : *a.of;
    fail<ConfigError>(who,
                      "`{}` and `{}` share memory: one tensor under two names would be changed "
                      "twice; give it once",
                      first.first, second.first);
  }
}

void require_current(const char* who, const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors)
    if (tensor.grad_meta() && tensor.grad_meta()->replaced)
      fail<ConfigError>(who,
                        "`{}` is no longer part of its module, where another tensor has taken its "
                        "place (to() or set_parameter()): make the {} after that",
                        name, who);
}

Optimizer::Optimizer(NamedTensors parameters) : parameters_(std::move(parameters)) {
  if (parameters_.empty()) fail<ConfigError>("optimizer", "no parameters to optimize");
  require_distinct("optimizer", parameters_);
}

void Optimizer::step() {
  const bool trains = std::any_of(parameters_.begin(), parameters_.end(), [](const NamedTensor& p) {
    return p.second.requires_grad() || p.second.grad().defined();
  });
  if (!trains) {
    fail<ConfigError>("optimizer",
                      "none of its {} parameters (`{}`, ...) requires a gradient, so nothing would "
                      "be trained; call set_requires_grad() on those to train",
                      parameters_.size(), parameters_.front().first);
  }
  step_as_part();
}

void Optimizer::step_as_part() {
  require_current("optimizer", parameters_);
  const NoGrad no_grad;
  ++steps_;
  update();
}

void Optimizer::zero_grad() {
  for (const auto& [name, tensor] : parameters_) tensor.zero_grad();
}

void Optimizer::load_state(const std::map<std::string, Tensor>& saved, std::int64_t steps) {
  const NamedTensors mine = state();
  const bool counted = std::any_of(saved.begin(), saved.end(), [](const auto& entry) {
    return entry.first.starts_with(kCount);
  });
  const auto is_old_count = [&](const std::string& name) {
    return !counted && name.starts_with(kCount);
  };
  for (const auto& [name, tensor] : mine) {
    if (is_old_count(name)) continue;
    const auto found = saved.find(name);
    if (found == saved.end())
      fail<ConfigError>("optimizer",
                        "the saved state has no `{}`; was it saved by another optimizer?", name);
    if (found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype())
      fail<ShapeError>("optimizer", "saved state `{}` is {} {}, this model expects {} {}", name,
                       found->second.shape().str(), weft::name(found->second.dtype()),
                       tensor.shape().str(), weft::name(tensor.dtype()));
    if (name.starts_with(kCount) && found->second.data<std::int64_t>()[0] < 0)
      fail<ConfigError>("optimizer", "saved state `{}` counts {} steps", name,
                        found->second.data<std::int64_t>()[0]);
  }
  for (const auto& [name, tensor] : mine) {
    if (is_old_count(name))
      tensor.data<std::int64_t>()[0] = steps;
    else
      tensor.copy_from(saved.at(name));
  }
  steps_ = steps;
}

std::vector<Tensor> Optimizer::zeros_like_parameters() const {
  std::vector<Tensor> tensors;
  for (const auto& [name, tensor] : parameters_)
    tensors.push_back(Tensor::zeros(tensor.shape(), tensor.dtype()));
  return tensors;
}

NamedTensors Optimizer::named(const std::string& buffer, const std::vector<Tensor>& tensors) const {
  NamedTensors result;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    result.emplace_back(buffer + "." + parameters_[i].first, tensors[i]);
  return result;
}

bool decays(Decay decay, const Tensor& parameter) {
  return decay == Decay::all || parameter.rank() >= 2;
}

void require_in(const char* who, const char* what, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return;
  if (std::isinf(high))
    fail<ConfigError>(who, "{} must be a finite number of at least {}, got {}", what, low, value);
  fail<ConfigError>(who, "{} must be between {} and {}, got {}", what, low, high, value);
}

}  // namespace weft::optim
