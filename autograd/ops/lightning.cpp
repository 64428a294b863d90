#include "autograd/ops/lightning.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/product_observer.h"
#include "core/kernels/lightning.h"
#include "core/math.h"
#include "core/shape_only.h"

namespace weft {
namespace {

constexpr const char* kLightning = "lightning_attention";

void check_lightning(const Tensor& q, const Tensor& k, const Tensor& v,
                     const LightningOptions& options) {
  const auto shapes = [&] {
    return "q " + q.shape().str() + ", k " + k.shape().str() + ", v " + v.shape().str();
  };
  if (q.rank() != 4 || k.rank() != 4 || v.rank() != 4)
    fail<ShapeError>(kLightning, "operands must be (batch, heads, time, size): {}", shapes());
  if (q.dtype() != k.dtype() || q.dtype() != v.dtype())
    fail<DTypeError>(kLightning, "operands of different dtypes: q {}, k {}, v {}; cast one",
                     name(q.dtype()), name(k.dtype()), name(v.dtype()));
  if (!is_float(q.dtype()))
    fail<DTypeError>(kLightning, "expects f32 or f64, got {}", name(q.dtype()));
  if (k.shape() != q.shape())
    fail<ShapeError>(kLightning, "q and k must have one shape: {}", shapes());
  if (v.size(0) != q.size(0) || v.size(1) != q.size(1) || v.size(2) != q.size(2))
    fail<ShapeError>(kLightning, "batches, heads or lengths of q and v differ: {}", shapes());
  if (!options.decay.empty() && static_cast<std::int64_t>(options.decay.size()) != q.size(1))
    fail<ConfigError>(kLightning, "expects one decay per head, {}, got {}", q.size(1),
                      options.decay.size());
  for (const double decay : options.decay)
    if (!(decay > 0 && decay <= 1))
      fail<ConfigError>(kLightning, "a decay must be above 0 and at most 1, got {}", decay);
  const Tensor& state = options.state;
  if (!state.defined()) return;
  if (!options.causal)
    fail<ConfigError>(kLightning, "a state needs causal attention: what follows is not known yet");
  const Shape wanted{q.size(0), q.size(1), q.size(3), v.size(3)};
  if (state.shape() != wanted || !state.is_contiguous())
    fail<ShapeError>(kLightning, "the state must be {}and contiguous, got {}", wanted.str(),
                     state.shape().str());
  if (state.dtype() != q.dtype())
    fail<DTypeError>(kLightning, "the state must have the dtype of q, {}, got {}", name(q.dtype()),
                     name(state.dtype()));
  if (wants_grad(q) || wants_grad(k) || wants_grad(v))
    fail<GraphError>(kLightning, "a state holds no gradients; call it under NoGrad");
}

/// Rows without gaps, which the kernels can read.
Tensor with_rows(const Tensor& t) {
  const bool usable =
      (t.strides()[3] == 1 || t.size(3) <= 1) && (t.strides()[2] >= t.size(3) || t.size(2) <= 1);
  return usable ? t : raw::contiguous(t);
}

/// (B, H, T, size), with time before heads in memory where `like` has it so.
Tensor laid_out_as(const Tensor& like, std::int64_t size) {
  const std::int64_t B = like.size(0), H = like.size(1), T = like.size(2);
  const bool time_first = like.strides()[1] < like.strides()[2];
  return time_first ? raw::transpose(Tensor::empty({B, T, H, size}, like.dtype()), 1, 2)
                    : Tensor::empty({B, H, T, size}, like.dtype());
}

template <class T>
kernels::HeadGrid<T> rows_of(const Tensor& t) {
  if (!t.defined()) return {};
  const std::int64_t row = t.size(2) <= 1 ? std::max<std::int64_t>(t.size(3), 1) : t.strides()[2];
  return {t.data<std::remove_const_t<T>>(), t.strides()[0], t.strides()[1], row};
}

struct LightningOperands {
  Tensor q, k, v;
  std::vector<double> decay;
  bool causal;

  template <class T>
  kernels::LightningArgs<T> args() const {
    return {.B = q.size(0),
            .H = q.size(1),
            .T_ = q.size(2),
            .D = q.size(3),
            .Dv = v.size(3),
            .causal = causal,
            .decay = decay.data(),
            .q = rows_of<const T>(q),
            .k = rows_of<const T>(k),
            .v = rows_of<const T>(v)};
  }
};

/// Each token's k v^T enters the running sum of its head, and each q reads it: as many products of
/// a row as there are tokens.
void tell(const LightningOperands& o, ProductRole role, int products) {
  for (int i = 0; i < products; ++i)
    product_made(
        {kLightning, role, o.q.size(2), o.v.size(3), o.q.size(3), o.q.size(0) * o.q.size(1)});
}

}  // namespace

Tensor lightning_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                           const LightningOptions& options) {
  check_lightning(q, k, v, options);
  const bool need_q = wants_grad(q), need_k = wants_grad(k), need_v = wants_grad(v);
  LightningOperands operands{with_rows(q.detach()), with_rows(k.detach()), with_rows(v.detach()),
                             options.decay, options.causal};
  if (operands.decay.empty()) operands.decay.assign(static_cast<std::size_t>(q.size(1)), 1.0);
  Tensor out = laid_out_as(operands.q, v.size(3));
  tell(operands, ProductRole::attention, 2);
  compute_float(q.dtype(), kLightning, [&](auto zero) {
    using T = decltype(zero);
    kernels::lightning_forward(operands.args<T>(), rows_of<T>(out),
                               options.state.defined() ? options.state.data<T>() : nullptr);
  });
  if (options.state.defined()) options.state.bump_version();
  if (!need_q && !need_k && !need_v) return record(kLightning, std::move(out), {q, k, v}, nullptr);
  return record_fused(
      kLightning, std::move(out), {q, k, v},
      [=](const Tensor& grad) -> Gradients {
        const Tensor g = with_rows(grad);
        const auto wanted = [](bool need, const Tensor& like) {
          return need ? laid_out_as(like, like.size(3)) : Tensor();
        };
        const Gradients result{wanted(need_q, operands.q), wanted(need_k, operands.k),
                               wanted(need_v, operands.v)};
        // dq reads the sum of k v^T; do enters a sum with q, which dk and dv read.
        tell(operands, ProductRole::attention_gradient,
             (need_q ? 1 : 0) + (need_k || need_v ? 1 : 0) + (need_k ? 1 : 0) + (need_v ? 1 : 0));
        compute_float(g.dtype(), kLightning, [&](auto zero) {
          using T = decltype(zero);
          kernels::lightning_backward(
              operands.args<T>(), rows_of<const T>(g),
              {rows_of<T>(result[0]), rows_of<T>(result[1]), rows_of<T>(result[2])});
        });
        return result;
      },
      [=] { return definition::lightning_attention(q, k, v, options); },
      {&operands.q, &operands.k, &operands.v});
}

namespace definition {

Tensor lightning_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                           const LightningOptions& options) {
  const std::int64_t H = q.size(1), T = q.size(2);
  Tensor decays = Tensor::zeros({H, T, T}, DType::f64);
  for (std::int64_t h = 0; h < H; ++h)
    for (std::int64_t i = 0; i < T; ++i)
      for (std::int64_t j = 0; j < (options.causal ? i + 1 : T); ++j) {
        const double decay =
            options.decay.empty() ? 1.0 : options.decay[static_cast<std::size_t>(h)];
        decays.data<double>()[(h * T + i) * T + j] =
            math::pow(decay, static_cast<double>(std::abs(i - j)));
      }
  return matmul(mul(matmul(q, transpose(k, 2, 3)), raw::cast(decays, q.dtype())), v);
}

}  // namespace definition
}  // namespace weft
