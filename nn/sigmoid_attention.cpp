#include "nn/sigmoid_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "core/error.h"
#include "core/math.h"
#include "core/shape_only.h"

namespace weft::nn {
namespace {

constexpr const char* kWhere = "sigmoid_attention";
constexpr double kForbidden = -std::numeric_limits<double>::infinity();

/// b and h are 1 where batches or heads do not differ.
struct Visibility {
  Tensor hidden;  ///< u8 (b, h, T, S), not 0 where the query may not see the key
  Tensor b;       ///< (b, h, T, 1), -log n
};

void check_masks(const Shape& scores, const AttentionOptions& options) {
  if (const Tensor& padding = options.key_padding; padding.defined()) {
    if (padding.dtype() != DType::u8)
      fail<DTypeError>(kWhere, "key_padding must be u8, got {}", name(padding.dtype()));
    if (padding.shape() != Shape{scores[0], scores[3]})
      fail<ShapeError>(kWhere, "key_padding must be ({}, {}), got {}", scores[0], scores[3],
                       padding.shape().str());
  }
  if (options.bias.defined() && !broadcasts_to(options.bias.shape(), scores))
    fail<ShapeError>(kWhere, "bias {} does not broadcast to the scores {}",
                     options.bias.shape().str(), scores.str());
}

Visibility visibility(const Shape& scores, const AttentionOptions& options, DType dtype) {
  const std::int64_t queries = scores[2], keys = scores[3];
  const bool forbids =
      options.bias.defined() && !shape_only() && raw::find_nonfinite(options.bias.detach()) >= 0;
  const std::int64_t batches = forbids || options.key_padding.defined() ? scores[0] : 1,
                     heads = forbids ? scores[1] : 1;
  const Visibility result{Tensor::zeros({batches, heads, queries, keys}, DType::u8),
                          Tensor::empty({batches, heads, queries, 1}, dtype)};
  const Tensor padding =
      options.key_padding.defined() ? raw::contiguous(options.key_padding) : Tensor();
  const Tensor bias =
      forbids ? raw::contiguous(raw::cast(raw::expand(options.bias.detach(), scores), DType::f64))
              : Tensor();
  compute_float(dtype, kWhere, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t row = 0; row < batches * heads * queries; ++row) {
      const std::int64_t batch = row / (heads * queries);
      const std::int64_t last = options.causal ? row % queries + keys - queries : keys - 1;
      std::int64_t n = 0;
      for (std::int64_t s = 0; s < keys; ++s) {
        const bool padded =
            padding.defined() && padding.data<std::uint8_t>()[batch * keys + s] != 0;
        const bool hidden =
            s > last || padded || (forbids && bias.data<double>()[row * keys + s] == kForbidden);
        result.hidden.data<std::uint8_t>()[row * keys + s] = hidden ? 1 : 0;
        n += hidden ? 0 : 1;
      }
      const double seen = static_cast<double>(std::max<std::int64_t>(n, 1));
      result.b.data<T>()[row] = static_cast<T>(-math::log(seen));
    }
  });
  return result;
}

}  // namespace

Tensor sigmoid_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options) {
  const std::int64_t batch = q.size(0), heads = q.size(1), queries = q.size(2), size = q.size(3),
                     groups = k.size(1), keys = k.size(2);
  const Shape shape{batch, heads, queries, keys};
  check_masks(shape, options);
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(size)));
  // The query heads that share keys are rows of one product.
  const Tensor rows =
      heads == groups ? q : reshape(q, {batch, groups, heads / groups * queries, size});
  Tensor scores = reshape(matmul(rows * scale, transpose(k, 2, 3)), shape);
  if (options.bias.defined()) scores = scores + options.bias;
  const Visibility visible = visibility(shape, options, q.dtype());
  return sigmoid(masked_fill(scores + visible.b, visible.hidden, kForbidden));
}

}  // namespace weft::nn
