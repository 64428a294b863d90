#include "nn/cross_covariance_attention.h"

#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const CrossCovarianceAttentionOptions& checked_cross_covariance(
    const CrossCovarianceAttentionOptions& options) {
  const ConfigCheck check("cross_covariance_attention");
  check.size("n_embd", options.n_embd, kMaxWidth);
  check.heads(options.n_embd, options.n_head, 0, 0, Positions::none);
  return options;
}

/// Every channel of length 1 over the tokens; one of zeros stays so. Shape: (B, H, T, D).
Tensor unit_channels(const Tensor& x) {
  const Tensor squares = sum(square(x), 2, true);
  if (x.dtype() == DType::f32 && raw::find_nonfinite(squares) >= 0)
    return cast(unit_channels(cast(x, DType::f64)), DType::f32);
  return x * rsqrt(squares + 1e-12);
}

}  // namespace

Tensor cross_covariance(const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor& temperature) {
  const Tensor unit_q = unit_channels(q), unit_k = unit_channels(k);
  const Tensor scores = matmul(transpose(unit_q, 2, 3), unit_k) * temperature;  // (B, H, D, D)
  return matmul(v, transpose(softmax(scores, -1), 2, 3));
}

CrossCovarianceAttention::CrossCovarianceAttention(const CrossCovarianceAttentionOptions& options)
    : Module("CrossCovarianceAttention"),
      options_(checked_cross_covariance(options)),
      temperature(*this, "temperature", {options.n_head, 1, 1}, init::ones()),
      qkv(*this, "qkv", options.n_embd, 3 * options.n_embd, LinearOptions{.init = options.init}),
      proj(*this, "proj", options.n_embd, options.n_embd, LinearOptions{.init = options.init}) {}

Tensor CrossCovarianceAttention::forward(const Tensor& x) const {
  const std::int64_t width = options_.n_embd, heads = options_.n_head, size = width / heads;
  if (x.rank() != 3 || x.size(2) != width)
    fail<ShapeError>("cross_covariance_attention", "expects (B, T, {}), got {}", width,
                     x.shape().str());
  const std::int64_t batch = x.size(0), tokens = x.size(1);
  const std::vector<Tensor> parts = split(qkv(x), {width, width, width}, -1);
  const auto as_heads = [&](const Tensor& part) {
    return transpose(reshape(part, {batch, tokens, heads, size}), 1, 2);
  };
  const Tensor y =
      cross_covariance(as_heads(parts[0]), as_heads(parts[1]), as_heads(parts[2]), temperature);
  return proj(reshape(transpose(y, 1, 2), {batch, tokens, width}));
}

std::string CrossCovarianceAttention::details() const {
  return fmt::format("{} heads of {} channels", options_.n_head, options_.n_embd / options_.n_head);
}

}  // namespace weft::nn
