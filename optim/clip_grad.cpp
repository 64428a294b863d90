#include "optim/clip_grad.h"

#include <cmath>
#include <limits>

#include "core/kernels/optimizer.h"

namespace weft::optim {

namespace {

double norm_of(const NamedTensors& parameters) {
  double squares = 0;
  for (const auto& [name, tensor] : parameters)
    if (const Tensor gradient = tensor.grad(); gradient.defined())
      squares += kernels::sum_of_squares(gradient);
  return std::sqrt(squares);
}

}  // namespace

double grad_norm(const NamedTensors& parameters) {
  require_distinct("grad_norm", parameters);
  return norm_of(parameters);
}

double clip_grad_norm(const NamedTensors& parameters, double max_norm) {
  require_in("clip_grad_norm", "max_norm", max_norm, std::numeric_limits<double>::min(),
             std::numeric_limits<double>::infinity());
  require_distinct("clip_grad_norm", parameters);
  const double norm = norm_of(parameters);
  const double factor = max_norm / (norm + 1e-6);  // the 1e-6 is PyTorch's
  if (!std::isfinite(norm) || factor >= 1) return norm;
  for (const auto& [name, tensor] : parameters) {
    Tensor gradient = tensor.grad();
    if (!gradient.defined()) continue;
    if (!gradient.is_contiguous()) tensor.set_grad(gradient = raw::clone(gradient));
    kernels::scale(gradient, factor);
  }
  return norm;
}

}  // namespace weft::optim
