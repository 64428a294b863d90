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

const CrossCovarianceAttentionOptions& checked_cross_covariance(const CrossCovarianceAttentionOptions& options) {
  const ConfigCheck check("cross_covariance_attention");
  check.size("n_embd", options.n_embd, kMaxWidth);
  check.heads(options.n_embd, options.n_head, 0, 0, Positions::none);
  return options;
}

/// Rows of length 1 along the last dimension; a row of zeros stays one.
Tensor unit_length(const Tensor& x) { return x * rsqrt(sum(square(x), {-1}, true) + 1e-12); }

}  // namespace

CrossCovarianceAttention::CrossCovarianceAttention(const CrossCovarianceAttentionOptions& options)
    : Module("CrossCovarianceAttention"),
      options_(checked_cross_covariance(options)),
      temperature(*this, "temperature", {options.n_head, 1, 1}, init::ones()),
      qkv(*this, "qkv", options.n_embd, 3 * options.n_embd, LinearOptions{.init = options.init}),
      proj(*this, "proj", options.n_embd, options.n_embd, LinearOptions{.init = options.init}) {}

Tensor CrossCovarianceAttention::forward(const Tensor& x) const {
  const std::int64_t width = options_.n_embd, heads = options_.n_head, size = width / heads;
  if (x.rank() != 3 || x.size(2) != width) fail<ShapeError>("cross_covariance_attention", "wants (B, T, {}), got {}", width, x.shape().str());
  const std::int64_t batch = x.size(0), tokens = x.size(1);
  const std::vector<Tensor> parts = split(qkv(x), {width, width, width}, -1);
  const auto as_channels = [&](const Tensor& part) { return permute(reshape(part, {batch, tokens, heads, size}), {0, 2, 3, 1}); };  // (B, H, D, T)
  const Tensor scores = matmul(unit_length(as_channels(parts[0])), transpose(unit_length(as_channels(parts[1])), 2, 3)) * temperature;  // (B, H, D, D)
  const Tensor y = matmul(softmax(scores, -1), as_channels(parts[2]));
  const Tensor out = proj(reshape(permute(y, {0, 3, 1, 2}), {batch, tokens, width}));
  note(4.0 * static_cast<double>(batch * tokens) * static_cast<double>(width * size), out);
  return out;
}

std::string CrossCovarianceAttention::details() const { return fmt::format("{} heads of {} channels", options_.n_head, options_.n_embd / options_.n_head); }

}  // namespace weft::nn
