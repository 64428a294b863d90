#include "optim/rmsprop.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/parallel.h"
#include "core/shape_only.h"

namespace weft::optim {
namespace {

constexpr std::int64_t kGrain = 16384;

}  // namespace

Rmsprop::Rmsprop(NamedTensors parameters, RmspropOptions options)
    : Optimizer(std::move(parameters)), options_(options), square_avg_(zeros_like_parameters()) {
  constexpr double kAny = std::numeric_limits<double>::infinity();
  require_in("rmsprop", "lr", options_.lr, 0, kAny);
  require_in("rmsprop", "alpha", options_.alpha, 0, 1);
  require_in("rmsprop", "eps", options_.eps, 0, kAny);
  require_in("rmsprop", "momentum", options_.momentum, 0, 1);
  require_in("rmsprop", "weight_decay", options_.weight_decay, 0, kAny);
  if (options_.centered) grad_avg_ = zeros_like_parameters();
  if (options_.momentum > 0) momentum_ = zeros_like_parameters();
}

NamedTensors Rmsprop::state() const {
  NamedTensors all = named("square_avg", square_avg_);
  for (const auto& [name, buffers] : {std::pair("grad_avg", &grad_avg_), {"momentum", &momentum_}})
    if (!buffers->empty())
      for (const NamedTensor& one : named(name, *buffers)) all.push_back(one);
  return all;
}

void Rmsprop::update() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i].second;
    if (!p.grad().defined()) continue;
    const Tensor mean = grad_avg_.empty() ? Tensor() : grad_avg_[i],
                 buffer = momentum_.empty() ? Tensor() : momentum_[i];
    for (const Tensor& t : {p, square_avg_[i], mean, buffer})
      if (t.defined()) t.bump_version();
    const Tensor gradient = raw::contiguous(p.grad());
    const double decay = decays(options_.decay, p) ? options_.weight_decay : 0;
    compute_float(p.dtype(), "rmsprop", [&]<class T>(T) {
      const T lr = static_cast<T>(options_.lr * lr_factor_), alpha = static_cast<T>(options_.alpha),
              eps = static_cast<T>(options_.eps), l2 = static_cast<T>(decay),
              mu = static_cast<T>(options_.momentum);
      parallel_for(p.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        T* const x = p.data<T>();
        T* const v = square_avg_[i].data<T>();
        T* const a = mean.defined() ? mean.data<T>() : nullptr;
        T* const b = buffer.defined() ? buffer.data<T>() : nullptr;
        const T* const gradients = gradient.data<T>();
        for (std::int64_t k = begin; k < end; ++k) {
          const T g = gradients[k] + l2 * x[k];
          v[k] = alpha * v[k] + (1 - alpha) * g * g;
          T spread = v[k];
          if (a != nullptr) {
            a[k] = alpha * a[k] + (1 - alpha) * g;
            spread -= a[k] * a[k];
          }
          const T step = g / (std::sqrt(spread) + eps);
          if (b != nullptr) b[k] = mu * b[k] + step;
          x[k] -= lr * (b != nullptr ? b[k] : step);
        }
      });
    });
  }
}

}  // namespace weft::optim
