#include "nn/linear_attention.h"

#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const LinearAttentionOptions& checked_linear_attention(const LinearAttentionOptions& options) {
  const ConfigCheck check("linear_attention");
  check.size("n_embd", options.n_embd, kMaxWidth);
  check.heads(options.n_embd, options.n_head, 0, 0, Positions::none);
  return options;
}

/// elu(x) + 1: x + 1 above 0, e^x below. Both parts are 1 and 0 on the other's side.
Tensor elu_plus_one(const Tensor& x) { return relu(x) + exp(clamp(x, -std::numeric_limits<double>::infinity(), 0)); }

}  // namespace

LinearAttention::LinearAttention(const LinearAttentionOptions& options)
    : Module("LinearAttention"),
      options_(checked_linear_attention(options)),
      qkv(*this, "qkv", options.n_embd, 3 * options.n_embd, LinearOptions{.init = options.init}),
      proj(*this, "proj", options.n_embd, options.n_embd, LinearOptions{.init = options.init}) {}

Tensor LinearAttention::forward(const Tensor& x) const {
  const std::int64_t width = options_.n_embd, heads = options_.n_head, size = width / heads;
  if (x.rank() != 3 || x.size(2) != width) fail<ShapeError>("linear_attention", "wants (B, T, {}), got {}", width, x.shape().str());
  const std::int64_t batch = x.size(0), tokens = x.size(1);
  const std::vector<Tensor> parts = split(qkv(x), {width, width, width}, -1);
  const auto as_heads = [&](const Tensor& part) { return transpose(reshape(part, {batch, tokens, heads, size}), 1, 2); };  // (B, H, T, D)
  const bool normalised = options_.feature_map == FeatureMap::elu_plus_one;
  const Tensor q = normalised ? elu_plus_one(as_heads(parts[0])) : as_heads(parts[0]);
  const Tensor k = normalised ? elu_plus_one(as_heads(parts[1])) : as_heads(parts[1]);
  Tensor y = matmul(q, matmul(transpose(k, 2, 3), as_heads(parts[2])));  // (B, H, T, D) (B, H, D, D)
  const double products = static_cast<double>(batch * tokens) * static_cast<double>(width);
  if (normalised) y = y / matmul(q, transpose(sum(k, {2}, true), 2, 3));  // by (B, H, T, 1), the sum of the row's weights, above 0
  else y = y / static_cast<double>(tokens);
  const Tensor out = proj(reshape(transpose(y, 1, 2), {batch, tokens, width}));
  note(4.0 * products * static_cast<double>(size) + (normalised ? 2.0 * products : 0), out);
  return out;
}

std::string LinearAttention::details() const {
  return fmt::format("{} heads of {}, {}", options_.n_head, options_.n_embd / options_.n_head,
                     options_.feature_map == FeatureMap::elu_plus_one ? "elu + 1" : "no feature map");
}

}  // namespace weft::nn
