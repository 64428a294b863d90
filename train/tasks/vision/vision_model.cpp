#include "train/tasks/vision/vision_model.h"

#include "core/error.h"
#include "train/loop/build_optimizer.h"
#include "train/tasks/common/image_facts.h"

namespace weft::train {

data::ImageData load_images(const VisionConfig& c,
                            const std::optional<data::Normalization>& learned, bool validate) {
  data::ImageOptions options;
  options.validation = !validate ? 0 : c.validation > 0 ? c.validation : data::ImageOptions::kTenth;
  options.held_out = held_out(c.validation_rule);
  options.share = c.train_share;
  options.seed = static_cast<std::uint64_t>(c.seed);
  options.shuffle_pixels = c.shuffle_pixels;
  options.normalization = learned;
  return data::load_images(c.data, options);
}

VisionModelConfig vision_model_config(const VisionConfig& c, const ImageFacts& images) {
  if (c.model == "mlp") {
    nn::MlpConfig mlp;
    mlp.input_shape = Shape{images.channels, images.height, images.width};
    mlp.hidden.assign(static_cast<std::size_t>(c.layers), c.width);
    mlp.n_class = images.classes;
    mlp.activation = nn::from_name<nn::Activation>(c.activation, "activation");
    mlp.dropout = c.dropout;
    return mlp;
  }
  if (c.model == "lenet")
    return nn::LenetConfig{images.classes, images.height, images.width, images.channels};
  if (c.model == "resnet")
    return nn::ResnetConfig{images.classes,  images.height, images.width,
                            images.channels, c.width,       c.layers};
  if (c.model == "cnn") {
    nn::CnnConfig cnn;
    cnn.n_class = images.classes;
    cnn.image_height = images.height;
    cnn.image_width = images.width;
    cnn.channels = images.channels;
    cnn.hidden = c.width;
    cnn.dropout = c.dropout;
    return cnn;
  }
  nn::VitConfig vit;
  vit.n_class = images.classes;
  vit.image_height = images.height;
  vit.image_width = images.width;
  vit.channels = images.channels;
  vit.patch_size = c.patch;
  vit.pooling = nn::from_name<nn::Pooling>(c.pool, "pool");
  set_blocks(vit, c, c.positions);
  return vit;
}

std::unique_ptr<nn::Model> build_model(const VisionConfig& c, const ImageFacts& images) {
  struct Build {
    std::unique_ptr<nn::Model> operator()(const nn::VitConfig& vit) const {
      return std::make_unique<nn::Vit>(vit);
    }
    std::unique_ptr<nn::Model> operator()(const nn::MlpConfig& mlp) const {
      return std::make_unique<nn::Mlp>(mlp);
    }
    std::unique_ptr<nn::Model> operator()(const nn::CnnConfig& cnn) const {
      return std::make_unique<nn::Cnn>(cnn);
    }
    std::unique_ptr<nn::Model> operator()(const nn::LenetConfig& lenet) const {
      return std::make_unique<nn::Lenet>(lenet);
    }
    std::unique_ptr<nn::Model> operator()(const nn::ResnetConfig& resnet) const {
      return std::make_unique<nn::Resnet>(resnet);
    }
  };
  return std::visit(Build(), vision_model_config(c, images));
}

}  // namespace weft::train
