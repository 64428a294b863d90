#include "nn/embedding.h"

#include "autograd/ops/indexing.h"

namespace weft::nn {

Embedding::Embedding(std::int64_t n_row, std::int64_t n_embd, const init::Initializer& initializer)
    : Module("Embedding"),
      weight(*this, "weight", {n_row, n_embd}, initializer.value_or(init::normal(1))) {}

Tensor Embedding::forward(const Tensor& ids) const { return embedding(weight, ids); }

std::string Embedding::details() const {
  return fmt::format("{} x {}", weight->size(0), weight->size(1));
}

}  // namespace weft::nn
