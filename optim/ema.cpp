#include "optim/ema.h"

#include <algorithm>

#include "core/kernels/optimizer.h"

namespace weft::optim {

Ema::Ema(NamedTensors parameters, double decay) : parameters_(std::move(parameters)), decay_(decay) {
  require_in("ema", "decay", decay, 0, 0.999999999);
  for (const auto& [name, tensor] : parameters_) averages_.push_back(raw::clone(tensor));
}

void Ema::update() {
  if (swapped_) fail<Error>("ema", "update() while the averages stand in for the weights; call swap() first");
  ++updates_;
  const double t = static_cast<double>(updates_);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (std::size_t i = 0; i < averages_.size(); ++i) kernels::lerp(averages_[i], parameters_[i].second, decay);
}

void Ema::swap() {
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const Tensor weight = raw::clone(parameters_[i].second);
    parameters_[i].second.copy_from(averages_[i]);
    averages_[i].copy_from(weight);
  }
  swapped_ = !swapped_;
}

NamedTensors Ema::state() const {
  NamedTensors all;
  for (std::size_t i = 0; i < averages_.size(); ++i) all.emplace_back("ema." + parameters_[i].first, averages_[i]);
  return all;
}

void Ema::load_state(const std::map<std::string, Tensor>& saved, std::int64_t updates) {
  for (const auto& [name, tensor] : state()) {
    const auto found = saved.find(name);
    if (found == saved.end()) fail<ConfigError>("ema", "the saved state has no `{}`", name);
    tensor.copy_from(found->second);
  }
  updates_ = updates;
}

}  // namespace weft::optim
