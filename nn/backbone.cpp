#include "nn/backbone.h"

#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"
#include "nn/models/transformer_config.h"
#include "nn/positions.h"

namespace weft::nn {
namespace {

template <class C>
const C& checked_backbone(const C& config) {
  config.validate();
  return config;
}

}  // namespace

void ConvBackboneConfig::validate() const {
  const ConfigCheck check("backbone");
  check.size("channels", channels, kMaxImage);
  check.size("features", features, kMaxWidth);
  if (features % 4 != 0)
    check.fail(fmt::format("features must be a multiple of 4, got {}", features));
  if (stride != 4 && stride != 8) check.fail(fmt::format("stride must be 4 or 8, got {}", stride));
}

ConvBackbone::ConvBackbone(const ConvBackboneConfig& config)
    : Backbone("ConvBackbone"),
      config_(checked_backbone(config)),
      conv1(
          *this, "conv1", config_.channels, config_.features / 4, std::int64_t{3},
          Conv2dLayerOptions{
              .stride = {2, 2}, .padding = {1, 1}, .bias = false, .init = init::kaiming_normal()}),
      bn1(*this, "bn1", config_.features / 4),
      layer1(*this, "layer1", config_.features / 4, config_.features / 2, std::int64_t{2}),
      layer2(*this, "layer2", config_.features / 2, config_.features, config_.stride / 4) {}

Tensor ConvBackbone::forward(const Tensor& images) const {
  if (images.rank() != 4 || images.size(1) != config_.channels ||
      images.size(2) % config_.stride != 0 || images.size(3) % config_.stride != 0)
    fail<ShapeError>("backbone",
                     "expects images (B, {}, H, W) with H and W divisible by {}, got {}",
                     config_.channels, config_.stride, images.shape().str());
  return layer2(layer1(relu(bn1(conv1(images)))));
}

std::string ConvBackbone::details() const {
  return fmt::format("convolutions to {} features, stride {}", config_.features, config_.stride);
}

void VitBackboneConfig::validate() const {
  vit.validate();
  const ConfigCheck check("backbone");
  check.size("features", features, kMaxWidth);
  if (upsample < 1 || vit.patch_size % upsample != 0)
    check.fail(fmt::format("upsample must divide the patch, {}, got {}", vit.patch_size, upsample));
}

VitBackbone::VitBackbone(const VitBackboneConfig& config)
    : Backbone("VitBackbone"),
      config_(checked_backbone(config)),
      pos_embed(*this, "pos_embed", {1, config_.vit.n_patch(), config_.vit.n_embd},
                init::normal(config_.vit.init_std), config_.vit.positions == Positions::learned),
      patch_embed(*this, "patch_embed",
                  PatchEmbedOptions{.channels = config_.vit.channels,
                                    .patch_size = config_.vit.patch_size,
                                    .n_embd = config_.vit.n_embd,
                                    .bias = config_.vit.bias,
                                    .init = weight_init(config_.vit)}),
      pos_drop(*this, "pos_drop", config_.vit.dropout),
      blocks(*this, "blocks"),
      norm(!config_.vit.post_norm, *this, "norm",
           make_norm(config_.vit.n_embd, norm_options(config_.vit))),
      to_map(*this, "to_map", config_.vit.n_embd,
             config_.features * config_.upsample * config_.upsample) {
  for (std::int64_t i = 0; i < config_.vit.n_layer; ++i)
    blocks.emplace(block_options(config_.vit, false, Naming::timm, i));
}

Tensor VitBackbone::forward(const Tensor& images) const {
  const VitConfig& c = config_.vit;
  if (images.rank() != 4 || images.size(1) != c.channels || images.size(2) != c.image_height ||
      images.size(3) != c.image_width)
    fail<ShapeError>("backbone", "expects images (B, {}, {}, {}), got {}", c.channels,
                     c.image_height, c.image_width, images.shape().str());
  Tensor x = patch_embed(images);
  if (pos_embed.defined()) x = x + pos_embed.get();
  if (c.positions == Positions::sinusoidal)
    x = x + sinusoidal_positions(c.n_patch(), c.n_embd, x.dtype());
  x = pos_drop(x);
  for (std::size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x);
  const std::int64_t batch = images.size(0), rows = c.image_height / c.patch_size,
                     columns = c.image_width / c.patch_size, up = config_.upsample;
  // (B, rows, columns, F, up, up) -> (B, F, rows, up, columns, up)
  const Tensor pixels =
      reshape(to_map(norm ? norm(x) : x), {batch, rows, columns, config_.features, up, up});
  return reshape(permute(pixels, {0, 3, 1, 4, 2, 5}),
                 {batch, config_.features, rows * up, columns * up});
}

std::string VitBackbone::details() const {
  return fmt::format("{} layers of width {} over {} patches, {} features, stride {}",
                     config_.vit.n_layer, config_.vit.n_embd, config_.vit.n_patch(),
                     config_.features, stride());
}

}  // namespace weft::nn
