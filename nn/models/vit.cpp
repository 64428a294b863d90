#include "nn/models/vit.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "nn/models/transformer_config.h"
#include "nn/positions.h"

namespace weft::nn {
std::int64_t VitConfig::hidden_size() const { return nn::hidden_size(*this); }

void VitConfig::validate() const {
  const ConfigCheck check("vit");
  check.size("n_class", n_class, kMaxVocabulary);
  check.size("image_height", image_height, kMaxImage);
  check.size("image_width", image_width, kMaxImage);
  check.size("channels", channels, kMaxImage);
  check.size("patch_size", patch_size, kMaxImage);
  if (image_height % patch_size != 0 || image_width % patch_size != 0) {
    std::vector<std::int64_t> sizes;
    for (std::int64_t p = 1; p <= std::min(image_height, image_width) && sizes.size() < 12; ++p)
      if (image_height % p == 0 && image_width % p == 0) sizes.push_back(p);
    check.fail(fmt::format("patch_size {} does not divide the image, {} x {}; use one of {}",
                           patch_size, image_height, image_width, fmt::join(sizes, ", ")));
  }
  check_transformer(check, *this);
  check_fits<Vit>(check, *this);
}

Vit::Vit(const VitConfig& config)
    : Model("Vit"),
      config_(checked(config)),
      cls_token(*this, "cls_token", {1, 1, config_.n_embd}, init::normal(config_.init_std),
                config_.pooling == Pooling::cls),
      pos_embed(*this, "pos_embed", {1, config_.n_token(), config_.n_embd},
                init::normal(config_.init_std), config_.positions == Positions::learned),
      patch_embed(*this, "patch_embed",
                  PatchEmbedOptions{.channels = config_.channels,
                                    .patch_size = config_.patch_size,
                                    .n_embd = config_.n_embd,
                                    .bias = config_.bias,
                                    .init = weight_init(config_)}),
      pos_drop(*this, "pos_drop", config_.dropout),
      blocks(*this, "blocks"),
      norm(!config_.post_norm, *this, "norm", make_norm(config_.n_embd, norm_options(config_))),
      head(*this, "head", config_.n_embd, config_.n_class,
           LinearOptions{.bias = config_.bias,
                         .init = config_.zero_init_proj ? init::zeros() : weight_init(config_)}) {
  for (std::int64_t i = 0; i < config_.n_layer; ++i)
    blocks.emplace(block_options(config_, false, Naming::timm, i));
}

Tensor Vit::forward(const Tensor& images) const { return forward(images, nullptr); }

Tensor Vit::forward(const Tensor& images, std::vector<Tensor>* attention) const {
  const VitConfig& c = config_;
  if (images.rank() != 4 || images.size(1) != c.channels || images.size(2) != c.image_height ||
      images.size(3) != c.image_width)
    fail<ShapeError>("vit", "expects images (B, {}, {}, {}), got {}", c.channels, c.image_height,
                     c.image_width, images.shape().str());
  Tensor x = patch_embed(images);
  if (cls_token.defined()) x = cat({expand(cls_token, {x.size(0), 1, c.n_embd}), x}, 1);
  if (pos_embed.defined()) x = x + pos_embed.get();
  if (c.positions == Positions::sinusoidal)
    x = x + sinusoidal_positions(c.n_token(), c.n_embd, x.dtype());
  x = pos_drop(x);
  if (attention) attention->assign(blocks.size(), Tensor());
  for (std::size_t i = 0; i < blocks.size(); ++i)
    x = blocks[i](x, {.weights = attention ? &(*attention)[i] : nullptr});
  if (c.pooling ==
      Pooling::cls) {  // the norm is of each token alone: only the one that is read needs it
    x = select(x, 1, 0);
    return head(norm ? norm(x) : x);
  }
  return head(mean(norm ? norm(x) : x, {1}));
}

Tensor Vit::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.channels, config_.image_height, config_.image_width},
                       dtype());
}

std::string Vit::details() const {
  return fmt::format("{} layers, {} heads, width {}, {} tokens, {} classes", config_.n_layer,
                     config_.n_head, config_.n_embd, config_.n_token(), config_.n_class);
}

}  // namespace weft::nn
