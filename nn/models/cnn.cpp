#include "nn/models/cnn.h"

#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const CnnConfig& checked(const CnnConfig& config) {
  config.validate();
  return config;
}

}  // namespace

std::int64_t CnnConfig::n_feature() const {
  const auto halvings = widths.size();
  return (image_height >> halvings) * (image_width >> halvings) *
         (widths.empty() ? channels : widths.back());
}

void CnnConfig::validate() const {
  const ConfigCheck check("cnn");
  check.size("n_class", n_class, kMaxVocabulary);
  check.size("image_height", image_height, kMaxImage);
  check.size("image_width", image_width, kMaxImage);
  check.size("channels", channels, kMaxImage);
  if (widths.size() > 16) check.fail(fmt::format("at most 16 convolutions, got {}", widths.size()));
  for (const std::int64_t width : widths) check.size("every entry of widths", width, kMaxWidth);
  if (kernel < 1 || kernel % 2 == 0 || kernel > 255)
    check.fail(fmt::format("kernel must be odd, 1 to 255, got {}", kernel));
  if (hidden != 0) check.size("hidden", hidden, kMaxWidth);
  check.probability("dropout", dropout);
  if (n_feature() < 1)
    check.fail(fmt::format("{} poolings leave nothing of an image of {} x {}; use fewer widths",
                           widths.size(), image_height, image_width));
  check_fits<Cnn>(check, *this);
}

Cnn::Cnn(const CnnConfig& config)
    : Model("Cnn"),
      config_(checked(config)),
      fc(config_.hidden > 0, *this, "fc", config_.n_feature(), config_.hidden),
      drop(*this, "dropout", config_.dropout),
      head(*this, "head", config_.hidden > 0 ? config_.hidden : config_.n_feature(),
           config_.n_class) {
  std::int64_t in = config_.channels;
  for (const std::int64_t width : config_.widths) {
    convs.emplace(in, width, config_.kernel,
                  Conv2dLayerOptions{.padding = {config_.kernel / 2, config_.kernel / 2}});
    in = width;
  }
}

Tensor Cnn::forward(const Tensor& images) const {
  const CnnConfig& c = config_;
  if (images.rank() != 4 || images.size(1) != c.channels || images.size(2) != c.image_height ||
      images.size(3) != c.image_width)
    fail<ShapeError>("cnn", "expects images (B, {}, {}, {}), got {}", c.channels, c.image_height,
                     c.image_width, images.shape().str());
  Tensor x = images;
  // ReLU grows with its argument, so it and the maximum may change places: a quarter of the work.
  for (std::size_t i = 0; i < convs.size(); ++i) x = relu(max_pool2d(convs[i](x)));
  x = reshape(x, {x.size(0), c.n_feature()});
  if (fc) x = relu(fc(x));
  return head(drop(x));
}

Tensor Cnn::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.channels, config_.image_height, config_.image_width},
                       dtype());
}

std::string Cnn::details() const {
  return fmt::format("{} convolutions, kernel {}", config_.widths.size(), config_.kernel);
}

}  // namespace weft::nn
