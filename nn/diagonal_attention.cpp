#include "nn/diagonal_attention.h"

#include "autograd/ops/attention.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

Shape diagonal_shape(std::int64_t n_embd, std::int64_t n_head) {
  const ConfigCheck check("diagonal_attention");
  check.size("n_embd", n_embd, kMaxWidth);
  check.heads(n_embd, n_head, 0, 0, Positions::none);
  return {n_embd};
}

}  // namespace

// Each weight is that of a layer with one input: PyTorch's default is then uniform in +-1.
DiagonalAttention::DiagonalAttention(std::int64_t n_embd, std::int64_t n_head)
    : Module("DiagonalAttention"),
      query(*this, "query", diagonal_shape(n_embd, n_head), init::uniform(-1, 1)),
      key(*this, "key", {n_embd}, init::uniform(-1, 1)),
      value(*this, "value", {n_embd}, init::uniform(-1, 1)),
      n_head_(n_head) {}

Tensor DiagonalAttention::forward(const Tensor& x) const {
  const std::int64_t width = query->size(0), size = width / n_head_;
  if (x.rank() != 3 || x.size(2) != width)
    fail<ShapeError>("diagonal_attention", "expects (B, T, {}), got {}", width, x.shape().str());
  const std::int64_t batch = x.size(0), tokens = x.size(1);
  const auto heads = [&](const Tensor& scaled) {
    return transpose(reshape(scaled, {batch, tokens, n_head_, size}), 1, 2);
  };
  const Tensor q = heads(x * query), k = heads(x * key), v = heads(x * value);
  const Tensor y = scaled_dot_product_attention(q, k, v);
  return reshape(transpose(y, 1, 2), {batch, tokens, width});
}

std::string DiagonalAttention::details() const {
  return fmt::format("{} heads of {}", n_head_, query->size(0) / n_head_);
}

}  // namespace weft::nn
