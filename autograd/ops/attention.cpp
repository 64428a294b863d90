#include "autograd/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/softmax.h"
#include "autograd/product_observer.h"
#include "core/kernels/attention.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::AttentionArgs;
using kernels::HeadGrid;

constexpr double kLowest = -std::numeric_limits<double>::infinity();
constexpr const char* kOp = "scaled_dot_product_attention";

std::string shapes(const Tensor& q, const Tensor& k, const Tensor& v) {
  return "q " + q.shape().str() + ", k " + k.shape().str() +
         (v.defined() ? ", v " + v.shape().str() : "");
}

/// v may be undefined.
void check(const char* op, const Tensor& q, const Tensor& k, const Tensor& v,
           const AttentionOptions& options) {
  if (q.rank() != 4 || k.rank() != 4 || (v.defined() && v.rank() != 4))
    fail<ShapeError>(op, "operands must be (batch, heads, time, size): {}", shapes(q, k, v));
  if (q.dtype() != k.dtype() || (v.defined() && v.dtype() != q.dtype()))
    fail<DTypeError>(op, "operands of different dtypes: q {}, k {}, v {}; cast one",
                     name(q.dtype()), name(k.dtype()), v.defined() ? name(v.dtype()) : "none");
  if (!is_float(q.dtype())) fail<DTypeError>(op, "expects f32 or f64, got {}", name(q.dtype()));
  if (k.size(0) != q.size(0) || (v.defined() && v.size(0) != q.size(0)))
    fail<ShapeError>(op, "batches differ: {}", shapes(q, k, v));
  if (k.size(3) != q.size(3))
    fail<ShapeError>(op, "head sizes of q and k differ: {}", shapes(q, k, v));
  if (v.defined() && (v.size(1) != k.size(1) || v.size(2) != k.size(2)))
    fail<ShapeError>(op, "heads or lengths of k and v differ: {}", shapes(q, k, v));
  if (k.size(1) == 0 ? q.size(1) != 0 : q.size(1) % k.size(1) != 0)
    fail<ShapeError>(op, "heads of q are not a multiple of those of k: {}", shapes(q, k, v));
  if (options.scale && !std::isfinite(*options.scale))
    fail<ConfigError>(op, "scale must be finite, got {}", *options.scale);
  if (const Tensor& padding = options.key_padding; padding.defined()) {
    if (padding.dtype() != DType::u8)
      fail<DTypeError>(op, "key_padding must be u8, got {}", name(padding.dtype()));
    if (padding.shape() != Shape{q.size(0), k.size(2)})
      fail<ShapeError>(op, "key_padding must be ({}, {}), got {}", q.size(0), k.size(2),
                       padding.shape().str());
  }
  if (const Tensor& bias = options.bias; bias.defined()) {
    const Shape scores{q.size(0), q.size(1), q.size(2), k.size(2)};
    if (bias.dtype() != q.dtype())
      fail<DTypeError>(op, "bias must have the dtype of q, {}, got {}", name(q.dtype()),
                       name(bias.dtype()));
    if (!broadcasts_to(bias.shape(), scores))
      fail<ShapeError>(op, "bias {} does not broadcast to the scores {}", bias.shape().str(),
                       scores.str());
  }
}

double scale_of(const Tensor& q, const AttentionOptions& options) {
  return options.scale ? *options.scale
                       : 1.0 / std::sqrt(static_cast<double>(std::max<std::int64_t>(q.size(3), 1)));
}

/// Rows without gaps that gemm can read.
Tensor readable(const Tensor& t) {
  const bool usable =
      (t.strides()[3] == 1 || t.size(3) <= 1) && (t.strides()[2] >= t.size(3) || t.size(2) <= 1);
  return usable ? t : raw::contiguous(t);
}

/// (B, H, T, size), laid out in memory as `like` is: (B, T, H, size) when that is a transposed view
/// of one, so that the caller's transpose back, and the gradient's, cost nothing.
Tensor empty_like(const Tensor& like, std::int64_t size, DType dtype) {
  const std::int64_t B = like.size(0), H = like.size(1), T = like.size(2);
  const bool time_first = like.strides()[1] < like.strides()[2];
  return time_first ? raw::transpose(Tensor::empty({B, T, H, size}, dtype), 1, 2)
                    : Tensor::empty({B, H, T, size}, dtype);
}

Tensor zeros_like(const Tensor& like, DType dtype) {
  const Tensor t = empty_like(like, like.size(3), dtype);
  t.zero();
  return t;
}

template <class T>
HeadGrid<T> grid(const Tensor& t) {
  using Element = std::remove_const_t<T>;
  if (!t.defined()) return {};
  const std::int64_t row = t.size(2) <= 1 ? std::max<std::int64_t>(t.size(3), 1) : t.strides()[2];
  if (t.dtype() == DType::bf16)
    return {nullptr, t.strides()[0], t.strides()[1], row, t.data<BFloat16>()};
  return {t.data<Element>(), t.strides()[0], t.strides()[1], row};
}

/// What both directions read.
struct Operands {
  Tensor q, k, v, key_bias, bias;
  bool causal;
  double scale;

  template <class T>
  AttentionArgs<T> args() const {
    AttentionArgs<T> a;
    a.B = q.size(0), a.H = q.size(1), a.Hk = k.size(1), a.T_ = q.size(2), a.S = k.size(2),
    a.D = q.size(3), a.Dv = v.size(3);
    a.causal = causal;
    a.scale = static_cast<T>(scale);
    a.q = grid<const T>(q), a.k = grid<const T>(k), a.v = grid<const T>(v);
    if (key_bias.defined()) a.key_bias = key_bias.data<T>();
    if (!bias.defined()) return a;
    a.bias = bias.data<T>();
    for (int i = 0; i < 4; ++i) a.bias_strides[i] = bias.strides()[i];
    return a;
  }
};

Operands operands_of(const Tensor& q, const Tensor& k, const Tensor& v,
                     const AttentionOptions& options) {
  Operands o{readable(q.detach()), readable(k.detach()), readable(v.detach()), Tensor(), Tensor(),
             options.causal,       scale_of(q, options)};
  if (options.key_padding.defined()) {
    o.key_bias = Tensor::zeros(options.key_padding.shape(), q.dtype());
    const Tensor padding = raw::contiguous(options.key_padding);
    const std::uint8_t* is_padding = padding.data<std::uint8_t>();
    compute_float(q.dtype(), kOp, [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t i = 0; i < padding.numel(); ++i)
        if (is_padding[i]) o.key_bias.data<T>()[i] = -std::numeric_limits<T>::infinity();
    });
  }
  if (options.bias.defined())
    o.bias = raw::expand(options.bias.detach(), {q.size(0), q.size(1), q.size(2), k.size(2)});
  return o;
}

/// What the backward reads again. The output must not keep the graph that it ends.
struct SavedOperands {
  SavedOperand q, k, v;
  Operands rest;  // without q, k and v

  explicit SavedOperands(const Operands& all) : q(all.q), k(all.k), v(all.v), rest(all) {
    rest.q = rest.k = rest.v = Tensor();
  }
  void keep_output(const Tensor& out) {
    if (q.rounded())
      rounded_output_ = SavedOperand(out);
    else
      output_.emplace(out);
  }
  /// q, k and v as they are kept, maybe rounded.
  Operands get() const {
    Operands all = rest;
    all.q = q.get(), all.k = k.get(), all.v = v.get();
    return all;
  }
  Tensor output() const { return output_ ? output_->get() : rounded_output_.get(); }

 private:
  std::optional<SavedOutput> output_;
  SavedOperand rounded_output_;
};

/// Masked scores (B, H, T, S) in primitive ops.
Tensor masked_scores(const Tensor& q, const Tensor& k, const AttentionOptions& options) {
  const std::int64_t B = q.size(0), H = q.size(1), Hk = k.size(1), T = q.size(2), S = k.size(2),
                     D = q.size(3);
  Tensor scores;
  if (H == Hk) {
    scores = matmul(q, transpose(k, 2, 3));
  } else {
    const Tensor grouped = reshape(q, {B, Hk, Hk > 0 ? H / Hk : 1, T, D});
    scores = reshape(matmul(grouped, transpose(unsqueeze(k, 2), 3, 4)), {B, H, T, S});
  }
  scores = mul(scores, scale_of(q, options));
  if (options.bias.defined()) scores = add(scores, options.bias);
  if (options.key_padding.defined())
    scores = masked_fill(scores, raw::reshape(options.key_padding, {B, 1, 1, S}), kLowest);
  if (options.causal) {
    const Tensor hidden = Tensor::zeros({T, S}, DType::u8);
    for (std::int64_t i = 0; i < T && !shape_only(); ++i)
      for (std::int64_t j = std::max<std::int64_t>(0, i + S - T + 1); j < S; ++j)
        hidden.data<std::uint8_t>()[i * S + j] = 1;
    scores = masked_fill(scores, hidden, kLowest);
  }
  return scores;
}

/// q k^T and p v.
void tell_forward(const Operands& o) {
  const std::int64_t heads = o.q.size(0) * o.q.size(1), T = o.q.size(2), S = o.k.size(2);
  const double seen = o.causal ? causal_share(T, S) : 1;
  product_made({kOp, ProductRole::attention, T, S, o.q.size(3), heads, seen});
  product_made({kOp, ProductRole::attention, T, o.v.size(3), S, heads, seen});
}

/// dp = do v^T, dv = p^T do, dq = ds k and dk = ds^T q.
void tell_backward(const Operands& o, bool need_q, bool need_k, bool need_v, bool need_bias) {
  const std::int64_t heads = o.q.size(0) * o.q.size(1), T = o.q.size(2), S = o.k.size(2),
                     D = o.q.size(3), Dv = o.v.size(3);
  const auto tell = [&, seen = o.causal ? causal_share(T, S) : 1](bool need, std::int64_t m,
                                                                  std::int64_t n, std::int64_t k) {
    if (need) product_made({kOp, ProductRole::attention_gradient, m, n, k, heads, seen});
  };
  tell(need_q || need_k || need_bias, T, S, Dv);
  tell(need_v, S, Dv, T);
  tell(need_q, T, D, S);
  tell(need_k, S, D, T);
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  check(kOp, q, k, v, options);
  const bool need_q = wants_grad(q), need_k = wants_grad(k), need_v = wants_grad(v),
             need_bias = wants_grad(options.bias);
  const bool need_any = need_q || need_k || need_v || need_bias;
  Operands operands = operands_of(q, k, v, options);
  std::optional<SavedOperands> saved_operands;
  if (need_any) {
    saved_operands.emplace(operands);
    operands = saved_operands->get();  // rounded once, for both directions
  }
  Tensor out = empty_like(operands.q, v.size(3), q.dtype());
  const Tensor lse =
      need_any ? Tensor::empty({q.size(0), q.size(1), q.size(2)}, q.dtype()) : Tensor();
  tell_forward(operands);
  compute_float(q.dtype(), kOp, [&](auto zero) {
    using T = decltype(zero);
    kernels::attention_forward(operands.args<T>(), grid<T>(out),
                               need_any ? lse.data<T>() : nullptr);
  });
  std::vector<Tensor> inputs{q, k, v};
  const bool has_bias = options.bias.defined();
  if (has_bias) inputs.push_back(options.bias);
  if (!need_any) return record(kOp, std::move(out), std::move(inputs), nullptr);
  saved_operands->keep_output(out);
  const SavedOperands kept = std::move(*saved_operands);
  std::function<Tensor()> definition;
  if (!kept.q.rounded())
    definition = [=] { return definition::scaled_dot_product_attention(q, k, v, options); };
  return record_fused(
      kOp, out, std::move(inputs),
      [=](const Tensor& grad) -> Gradients {
        const Operands operands = kept.get();
        const DType dtype = grad.dtype();
        const Tensor g = readable(grad), saved = kept.output();
        const Tensor dq = need_q ? zeros_like(kept.q.get(), dtype) : Tensor(),
                     dk = need_k ? zeros_like(kept.k.get(), dtype) : Tensor();
        const Tensor dv = need_v ? zeros_like(kept.v.get(), dtype) : Tensor();
        const Tensor dbias = need_bias ? Tensor::zeros(operands.bias.shape(), g.dtype()) : Tensor();
        tell_backward(operands, need_q, need_k, need_v, need_bias);
        compute_float(g.dtype(), kOp, [&](auto zero) {
          using T = decltype(zero);
          kernels::attention_backward(
              operands.args<T>(), grid<const T>(saved), lse.data<T>(), grid<const T>(g),
              {grid<T>(dq), grid<T>(dk), grid<T>(dv), need_bias ? dbias.data<T>() : nullptr});
        });
        return has_bias ? Gradients{dq, dk, dv, dbias} : Gradients{dq, dk, dv};
      },
      std::move(definition), {kept.q.watched(), kept.k.watched(), kept.v.watched(), &operands.bias},
      {&options.key_padding});
}

Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options) {
  check("attention_weights", q, k, Tensor(), options);
  return softmax(masked_scores(q, k, options), -1);
}

namespace definition {

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  const std::int64_t B = q.size(0), H = q.size(1), Hk = k.size(1), T = q.size(2), S = k.size(2);
  const Tensor weights = weft::softmax(masked_scores(q, k, options), -1);
  if (H == Hk) return matmul(weights, v);
  const Tensor grouped = reshape(weights, {B, Hk, Hk > 0 ? H / Hk : 1, T, S});
  return reshape(matmul(grouped, unsqueeze(v, 2)), {B, H, T, v.size(3)});
}

}  // namespace definition
}  // namespace weft
