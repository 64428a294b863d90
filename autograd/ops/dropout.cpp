#include "autograd/ops/dropout.h"

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "core/kernels/dropout.h"
#include "core/shape_only.h"

namespace weft {

Tensor dropout(const Tensor& x, double p, bool training, Generator& generator) {
  if (!(p >= 0 && p < 1))
    fail<ConfigError>("dropout", "expects a probability 0 <= p < 1, got {}", p);
  if (!is_float(x.dtype()))
    fail<DTypeError>("dropout", "expects f32 or f64, got {}", name(x.dtype()));
  if (p == 0 || !training) return x;
  const std::int64_t n = x.numel();
  const Tensor from = raw::contiguous(x), out = Tensor::empty(x.shape(), x.dtype());
  const Tensor mask = wants_grad(x) ? Tensor::empty(x.shape(), DType::u8) : Tensor();
  const std::uint64_t first =
      generator.reserve(static_cast<std::uint64_t>(kernels::dropout_blocks(n)));
  compute_float(x.dtype(), "dropout", [&](auto zero) {
    using T = decltype(zero);
    kernels::dropout(generator, first, p, from.data<T>(), n, out.data<T>(),
                     mask.defined() ? mask.data<std::uint8_t>() : nullptr);
  });
  const double scale = 1 / (1 - p);
  const auto rule = [mask, scale](const Tensor& g) -> Gradients {
    const Tensor incoming = raw::contiguous(g), dx = Tensor::empty(g.shape(), g.dtype());
    compute_float(g.dtype(), "dropout", [&](auto zero) {
      using T = decltype(zero);
      kernels::apply_mask(mask.data<std::uint8_t>(), scale, incoming.data<T>(), g.numel(),
                          dx.data<T>());
    });
    return {dx};
  };
  // The mask is a constant: gradients of gradients see a product.
  return record_fused("dropout", out, {x}, rule,
                      [x, mask, scale] { return mul(x, mul(raw::cast(mask, x.dtype()), scale)); });
}

}  // namespace weft
