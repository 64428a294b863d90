#include "nn/models/resnet.h"

#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const ResnetConfig& checked_resnet(const ResnetConfig& config) {
  config.validate();
  return config;
}

Conv2dLayerOptions conv_options(std::int64_t stride, std::int64_t padding) {
  // A batch norm follows, which takes a bias away again. Source of the first weights: He et al.
  // 2015 (arXiv 1502.01852), eq. 10.
  return {.stride = {stride, stride},
          .padding = {padding, padding},
          .bias = false,
          .init = init::kaiming_normal()};
}

}  // namespace

BasicBlock::Shortcut::Shortcut(std::int64_t in, std::int64_t out, std::int64_t stride)
    : Module("Shortcut"),
      conv(*this, "0", in, out, std::int64_t{1}, conv_options(stride, 0)),
      bn(*this, "1", out) {}

BasicBlock::BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride)
    : Module("BasicBlock"),
      conv1(*this, "conv1", in, out, std::int64_t{3}, conv_options(stride, 1)),
      bn1(*this, "bn1", out),
      conv2(*this, "conv2", out, out, std::int64_t{3}, conv_options(1, 1)),
      bn2(*this, "bn2", out),
      downsample(stride != 1 || in != out, *this, "downsample", in, out, stride) {}

Tensor BasicBlock::forward(const Tensor& x) const {
  const Tensor branch = bn2(conv2(relu(bn1(conv1(x)))));
  return relu(branch + (downsample ? downsample(x) : x));
}

std::string BasicBlock::details() const { return downsample ? "shortcut by a convolution" : ""; }

void ResnetConfig::validate() const {
  const ConfigCheck check("resnet");
  check.size("n_class", n_class, kMaxVocabulary);
  check.size("image_height", image_height, kMaxImage);
  check.size("image_width", image_width, kMaxImage);
  check.size("channels", channels, kMaxImage);
  check.size("width", width, kMaxWidth / 4);
  check.size("blocks", blocks, kMaxLayers);
  check_fits<Resnet>(check, *this);
}

Resnet::Resnet(const ResnetConfig& config)
    : Model("Resnet"),
      config_(checked_resnet(config)),
      conv1(*this, "conv1", config_.channels, config_.width, std::int64_t{3}, conv_options(1, 1)),
      bn1(*this, "bn1", config_.width),
      fc(*this, "fc", 4 * config_.width, config_.n_class) {
  const std::int64_t w = config_.width;
  for (std::int64_t i = 0; i < config_.blocks; ++i) {
    layer1.emplace(w, w, 1);
    layer2.emplace(i == 0 ? w : 2 * w, 2 * w, i == 0 ? 2 : 1);
    layer3.emplace(i == 0 ? 2 * w : 4 * w, 4 * w, i == 0 ? 2 : 1);
  }
}

Tensor Resnet::forward(const Tensor& images) const {
  const ResnetConfig& c = config_;
  if (images.rank() != 4 || images.size(1) != c.channels || images.size(2) != c.image_height ||
      images.size(3) != c.image_width)
    fail<ShapeError>("resnet", "expects images (B, {}, {}, {}), got {}", c.channels, c.image_height,
                     c.image_width, images.shape().str());
  Tensor x = relu(bn1(conv1(images)));
  for (const auto* stage : {&layer1, &layer2, &layer3})
    for (std::size_t i = 0; i < stage->size(); ++i) x = (*stage)[i](x);
  return fc(mean(x, {2, 3}));
}

Tensor Resnet::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.channels, config_.image_height, config_.image_width},
                       dtype());
}

std::string Resnet::details() const {
  return fmt::format("{} layers, {} to {} channels", 6 * config_.blocks + 2, config_.width,
                     4 * config_.width);
}

}  // namespace weft::nn
