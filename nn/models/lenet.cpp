#include "nn/models/lenet.h"

#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const LenetConfig& checked_lenet(const LenetConfig& config) {
  config.validate();
  return config;
}

}  // namespace

void LenetConfig::validate() const {
  const ConfigCheck check("lenet");
  check.size("n_class", n_class, kMaxVocabulary);
  check.size("image_height", image_height, kMaxImage);
  check.size("image_width", image_width, kMaxImage);
  check.size("channels", channels, kMaxImage);
  if (image_height < 12 || image_width < 12)
    check.fail(fmt::format(
        "images must be at least 12 x 12 for two convolutions and poolings, got {} x {}",
        image_height, image_width));
  check_fits<Lenet>(check, *this);
}

Lenet::Lenet(const LenetConfig& config)
    : Model("Lenet"),
      config_(checked_lenet(config)),
      conv1(*this, "conv1", config_.channels, std::int64_t{6}, std::int64_t{5},
            Conv2dLayerOptions{.padding = {2, 2}}),
      conv2(*this, "conv2", std::int64_t{6}, std::int64_t{16}, std::int64_t{5}),
      fc1(*this, "fc1", 16 * config_.feature_height() * config_.feature_width(), std::int64_t{120}),
      fc2(*this, "fc2", std::int64_t{120}, std::int64_t{84}),
      fc3(*this, "fc3", std::int64_t{84}, config_.n_class) {}

Tensor Lenet::forward(const Tensor& images) const {
  const LenetConfig& c = config_;
  if (images.rank() != 4 || images.size(1) != c.channels || images.size(2) != c.image_height ||
      images.size(3) != c.image_width)
    fail<ShapeError>("lenet", "expects images (B, {}, {}, {}), got {}", c.channels, c.image_height,
                     c.image_width, images.shape().str());
  // ReLU grows with its argument, so it and the maximum may change places: a quarter of the work.
  const Tensor first = relu(max_pool2d(conv1(images))), second = relu(max_pool2d(conv2(first)));
  const Tensor features =
      reshape(second, {images.size(0), 16 * c.feature_height() * c.feature_width()});
  return fc3(relu(fc2(relu(fc1(features)))));
}

Tensor Lenet::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.channels, config_.image_height, config_.image_width},
                       dtype());
}

std::string Lenet::details() const { return fmt::format("{} classes", config_.n_class); }

}  // namespace weft::nn
