#include "train/kinds/vision/vision_model.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "train/build.h"

namespace weft::train {

std::string ImageFacts::to_json() const {
  nlohmann::ordered_json json{
      {"channels", channels}, {"height", height}, {"width", width}, {"classes", classes}};
  json["normalization"] = nlohmann::ordered_json::parse(normalization.to_json());
  if (edges != data::Edges::unknown) json["edges"] = data::name(edges);
  return json.dump();
}

ImageFacts ImageFacts::from_json(const std::string& text, const std::string& where) {
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(text, nullptr, false);
  ImageFacts facts;
  const auto size = [&](const char* name, std::int64_t high) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    const std::int64_t value = there ? json[name].get<std::int64_t>() : 0;
    if (value < 1 || value > high)
      fail<ConfigError>(where, "{} of the images must be a number from 1 to {}", name, high);
    return value;
  };
  facts.channels = size("channels", 1024);
  facts.height = size("height", 65536);
  facts.width = size("width", 65536);
  facts.classes = size("classes", 1'000'000);
  if (!json.contains("normalization"))
    fail<ConfigError>(where, "the normalization of the images is missing");
  facts.normalization = data::Normalization::from_json(json["normalization"].dump(), where);
  if (json.contains("edges")) {
    if (!json["edges"].is_string()) fail<ConfigError>(where, "edges of the images must be a word");
    facts.edges = data::edges_from_name(json["edges"].get<std::string>(), where);
  }
  return facts;
}

data::HeldOut held_out(const std::string& validation_rule) {
  return validation_rule == kHeldOutLast ? data::HeldOut::last : data::HeldOut::stratified;
}

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
