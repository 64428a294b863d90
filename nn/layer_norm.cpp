#include "nn/layer_norm.h"

#include "autograd/ops/norm.h"

namespace weft::nn {

LayerNorm::LayerNorm(std::int64_t n_embd, const LayerNormOptions& options)
    : Norm("LayerNorm"),
      weight(*this, "weight", {n_embd}, init::ones(), options.weight),
      bias(*this, "bias", {n_embd}, init::zeros(), options.bias),
      n_embd_(n_embd),
      eps_(options.eps) {}

Tensor LayerNorm::forward(const Tensor& x) const {
  if (x.rank() < 1 || x.size(-1) != n_embd_)
    fail<ShapeError>("LayerNorm", "expects (..., {}), got {}", n_embd_, x.shape().str());
  return layer_norm(x, weight, bias, eps_);
}

std::string LayerNorm::details() const {
  return fmt::format("{}{}", n_embd_,
                     !weight.defined() ? ", no weight"
                     : !bias.defined() ? ", no bias"
                                       : "");
}

}  // namespace weft::nn
