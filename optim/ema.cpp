#include "optim/ema.h"

#include <algorithm>
#include <cstring>

#include "core/kernels/optimizer.h"
#include "core/shape_only.h"

namespace weft::optim {
namespace {

bool same_bytes(const Tensor& a, const Tensor& b) {
  const auto bytes = static_cast<std::size_t>(a.numel() * item_size(a.dtype()));
  return bytes == 0 || shape_only() || std::memcmp(a.raw_data(), b.raw_data(), bytes) == 0;
}

}  // namespace

Ema::Ema(NamedTensors parameters, double decay, NamedTensors buffers)
    : weights_(std::move(parameters)), parameter_count_(weights_.size()), decay_(decay) {
  require_in("ema", "decay", decay, 0, 0.999999999);
  for (auto& [name, tensor] : buffers) {
    if (!tensor.defined() || !tensor.is_contiguous())
      fail<ConfigError>("ema", "the buffer `{}` must be a contiguous tensor", name);
    if (is_float(tensor.dtype())) weights_.emplace_back(std::move(name), std::move(tensor));
  }
  require_distinct("ema", weights_);
  for (const auto& [name, tensor] : weights_) averages_.push_back(raw::clone(tensor));
}

void Ema::update() {
  if (swapped_)
    fail<Error>("ema",
                "update() while the averages are swapped in for the weights; call swap() first");
  require_current("ema", weights_);
  ++updates_;
  const double t = static_cast<double>(updates_);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    if (i >= parameter_count_ && same_bytes(averages_[i], weights_[i].second))
      continue;  // a constant stays what it is, to the bit
    kernels::lerp(averages_[i], weights_[i].second, decay);
  }
}

void Ema::swap() {
  require_current("ema", weights_);
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const Tensor weight = raw::clone(weights_[i].second);
    weights_[i].second.copy_from(averages_[i]);
    averages_[i].copy_from(weight);
  }
  swapped_ = !swapped_;
}

NamedTensors Ema::state() const {
  NamedTensors all;
  for (std::size_t i = 0; i < averages_.size(); ++i)
    all.emplace_back("ema." + weights_[i].first, averages_[i]);
  return all;
}

void Ema::load_state(const std::map<std::string, Tensor>& saved, std::int64_t updates) {
  const NamedTensors mine = state();
  for (const auto& [name, tensor] : mine) {
    const auto found = saved.find(name);
    if (found == saved.end()) fail<ConfigError>("ema", "the saved state has no `{}`", name);
    if (found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype())
      fail<ShapeError>("ema", "saved state `{}` is {} {}, this model expects {} {}", name,
                       found->second.shape().str(), weft::name(found->second.dtype()),
                       tensor.shape().str(), weft::name(tensor.dtype()));
  }
  for (const auto& [name, tensor] : mine) tensor.copy_from(saved.at(name));
  updates_ = updates;
}

}  // namespace weft::optim
