#include "nn/patch_embed.h"

#include <cmath>

#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"

namespace weft::nn {
namespace {

const PatchEmbedOptions& checked(const PatchEmbedOptions& o) {
  if (o.channels < 1 || o.patch_size < 1 || o.n_embd < 1)
    fail<ConfigError>("PatchEmbed",
                      "sizes must be at least 1, got channels {}, patch_size {}, n_embd {}",
                      o.channels, o.patch_size, o.n_embd);
  return o;
}

init::Initializer bias_init(const PatchEmbedOptions& o) {
  const double bound = 1 / std::sqrt(static_cast<double>(o.channels * o.patch_size * o.patch_size));
  return o.init.defined() ? init::zeros() : init::uniform(-bound, bound);
}

}  // namespace

PatchEmbed::Projection::Projection(const PatchEmbedOptions& o)
    : Module("PatchProjection"),
      weight(*this, "weight", {o.n_embd, o.channels, o.patch_size, o.patch_size},
             o.init.value_or(init::kaiming_uniform(std::sqrt(5.0)))),
      bias(*this, "bias", {o.n_embd}, bias_init(o), o.bias) {}

Tensor PatchEmbed::Projection::forward(const Tensor& patches) const {
  return linear(patches, reshape(weight, {weight->size(0), -1}), bias);
}

PatchEmbed::PatchEmbed(const PatchEmbedOptions& options)
    : Module("PatchEmbed"),
      patch_size_(checked(options).patch_size),
      proj(*this, "proj", options) {}

Tensor PatchEmbed::forward(const Tensor& images) const {
  const std::int64_t channels = proj->weight->size(1), p = patch_size_;
  if (images.rank() != 4 || images.size(1) != channels || images.size(2) % p != 0 ||
      images.size(3) % p != 0)
    fail<ShapeError>("PatchEmbed",
                     "expects images (B, {}, H, W) with H and W divisible by {}, got {}", channels,
                     p, images.shape().str());
  const std::int64_t batch = images.size(0), rows = images.size(2) / p,
                     columns = images.size(3) / p;
  const Tensor cut = reshape(images, {batch, channels, rows, p, columns, p});
  return proj(reshape(permute(cut, {0, 2, 4, 1, 3, 5}), {batch, rows * columns, channels * p * p}));
}

std::string PatchEmbed::details() const {
  return fmt::format("{} x {} x {} -> {}", proj->weight->size(1), patch_size_, patch_size_,
                     proj->weight->size(0));
}

}  // namespace weft::nn
