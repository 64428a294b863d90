#include "nn/rms_norm.h"

#include "autograd/ops/norm.h"

namespace weft::nn {

RmsNorm::RmsNorm(std::int64_t n_embd, const RmsNormOptions& options)
    : Norm("RmsNorm"),
      weight(*this, "weight", {n_embd}, init::ones(), options.weight),
      n_embd_(n_embd),
      eps_(options.eps) {}

Tensor RmsNorm::forward(const Tensor& x) const {
  if (x.rank() < 1 || x.size(-1) != n_embd_)
    fail<ShapeError>("RmsNorm", "expects (..., {}), got {}", n_embd_, x.shape().str());
  return rms_norm(x, weight, eps_);
}

std::string RmsNorm::details() const {
  return fmt::format("{}{}", n_embd_, weight.defined() ? "" : ", no weight");
}

}  // namespace weft::nn
