#include "nn/norm.h"

#include "nn/layer_norm.h"
#include "nn/rms_norm.h"

namespace weft::nn {

std::unique_ptr<Norm> make_norm(std::int64_t n_embd, const NormOptions& options) {
  if (options.kind == NormKind::rms)
    return std::make_unique<RmsNorm>(n_embd, RmsNormOptions{.weight = options.weight});
  return std::make_unique<LayerNorm>(
      n_embd, LayerNormOptions{.weight = options.weight, .bias = options.weight && options.bias});
}

}  // namespace weft::nn
