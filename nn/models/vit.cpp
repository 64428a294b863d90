#include "nn/models/vit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "nn/check.h"
#include "nn/positions.h"

namespace weft::nn {
namespace {

const VitConfig& checked(const VitConfig& config) {
  config.validate();
  return config;
}

init::Initializer weight_init(const VitConfig& config) {
  return config.init == InitScheme::gpt2 ? init::normal(config.init_std) : init::Initializer();
}

BlockOptions block_options(const VitConfig& config) {
  const init::Initializer weight = weight_init(config);
  init::Initializer proj = weight;
  if (config.zero_init_proj) proj = init::zeros();
  else if (config.init == InitScheme::gpt2) proj = init::scaled_residual(config.n_layer, config.init_std);
  return {.attention = {.n_embd = config.n_embd,
                        .n_head = config.n_head,
                        .n_kv_head = config.n_kv_head,
                        .head_size = config.head_size,
                        .bias = config.bias,
                        .qk_norm = config.qk_norm,
                        .positions = config.positions,
                        .rope_base = config.rope_base,
                        .dropout = config.dropout,
                        .attention_dropout = config.attention_dropout,
                        .init = weight,
                        .proj_init = proj,
                        .naming = Naming::timm},
          .feed_forward = {.n_embd = config.n_embd,
                           .hidden = config.hidden_size(),
                           .activation = config.activation,
                           .bias = config.bias,
                           .dropout = config.dropout,
                           .init = weight,
                           .proj_init = proj,
                           .naming = Naming::timm},
          .norm = {.kind = config.norm, .weight = config.norm_weight, .bias = config.bias},
          .post_norm = config.post_norm};
}

}  // namespace

std::int64_t VitConfig::hidden_size() const { return std::llround(mlp_ratio * static_cast<double>(n_embd)); }

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
    check.fail(fmt::format("patch_size {} does not divide the image, {} x {}; use one of {}", patch_size, image_height, image_width,
                           fmt::join(sizes, ", ")));
  }
  check.size("n_layer", n_layer, kMaxLayers);
  check.size("n_embd", n_embd, kMaxWidth);
  check.heads(n_embd, n_head, n_kv_head, head_size, positions);
  check.feed_forward(n_embd, mlp_ratio);
  check.probability("dropout", dropout);
  check.probability("attention_dropout", attention_dropout);
  check.above_zero("rope_base", rope_base);
  check.at_least_zero("init_std", init_std);
  const bool table = positions == Positions::sinusoidal;
  check.memory(parameter_count() + (table ? static_cast<double>(n_token()) * static_cast<double>(n_embd) : 0));
}

double VitConfig::parameter_count() const {
  const auto width = static_cast<double>(n_embd), outputs = static_cast<double>(n_class);
  const double patch = static_cast<double>(channels * patch_size) * static_cast<double>(patch_size) * width + (bias ? width : 0);
  const double places = positions == Positions::learned ? static_cast<double>(n_token()) * width : 0;
  const double ends = (pooling == Pooling::cls ? width : 0) + (post_norm ? 0 : norm_parameter_count(*this)) + outputs * width + (bias ? outputs : 0);
  return patch + places + static_cast<double>(n_layer) * block_parameter_count(*this) + ends;
}

Vit::Vit(const VitConfig& config)
    : Model("Vit"),
      config_(checked(config)),
      cls_token(*this, "cls_token", {1, 1, config_.n_embd}, init::normal(config_.init_std), config_.pooling == Pooling::cls),
      pos_embed(*this, "pos_embed", {1, config_.n_token(), config_.n_embd}, init::normal(config_.init_std), config_.positions == Positions::learned),
      patch_embed(*this, "patch_embed",
                  PatchEmbedOptions{.channels = config_.channels,
                                    .patch_size = config_.patch_size,
                                    .n_embd = config_.n_embd,
                                    .bias = config_.bias,
                                    .init = weight_init(config_)}),
      pos_drop(*this, "pos_drop", config_.dropout),
      blocks(*this, "blocks"),
      norm(!config_.post_norm, *this, "norm", make_norm(config_.n_embd, {.kind = config_.norm, .weight = config_.norm_weight, .bias = config_.bias})),
      head(*this, "head", config_.n_embd, config_.n_class,
           LinearOptions{.bias = config_.bias, .init = config_.zero_init_proj ? init::zeros() : weight_init(config_)}) {
  const BlockOptions options = block_options(config_);
  for (std::int64_t i = 0; i < config_.n_layer; ++i) blocks.emplace(options);
}

Tensor Vit::forward(const Tensor& images) const { return forward(images, nullptr); }

Tensor Vit::forward(const Tensor& images, std::vector<Tensor>* attention) const {
  const VitConfig& c = config_;
  if (images.rank() != 4 || images.size(1) != c.channels || images.size(2) != c.image_height || images.size(3) != c.image_width)
    fail<ShapeError>("vit", "wants images (B, {}, {}, {}), got {}", c.channels, c.image_height, c.image_width, images.shape().str());
  Tensor x = patch_embed(images);
  if (cls_token.defined()) x = cat({expand(cls_token, {x.size(0), 1, c.n_embd}), x}, 1);
  if (pos_embed.defined()) x = x + pos_embed.get();
  if (c.positions == Positions::sinusoidal) x = x + sinusoidal_positions(c.n_token(), c.n_embd, x.dtype());
  x = pos_drop(x);
  if (attention) attention->assign(blocks.size(), Tensor());
  for (std::size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, {.weights = attention ? &(*attention)[i] : nullptr});
  if (c.pooling == Pooling::cls) {  // the norm is of each token alone: only the one that is read needs it
    x = select(x, 1, 0);
    return head(norm ? norm(x) : x);
  }
  return head(mean(norm ? norm(x) : x, {1}));
}

Tensor Vit::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.channels, config_.image_height, config_.image_width}, dtype());
}

std::string Vit::details() const {
  return fmt::format("{} layers, {} heads, width {}, {} tokens, {} classes", config_.n_layer, config_.n_head, config_.n_embd, config_.n_token(),
                     config_.n_class);
}

}  // namespace weft::nn
