#include "train/tasks/vision/vision_run.h"

#include <fmt/format.h>

#include "autograd/autograd.h"
#include "autograd/ops/softmax.h"
#include "core/error.h"
#include "data/image/picture.h"
#include "data/split.h"
#include "nn/check.h"

namespace weft::train {

VisionRun::VisionRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<VisionConfig>(run.config_json, run.checkpoint.string())),
      images_(ImageFacts::from_json(run.facts.data, run.checkpoint.string())),
      model_(build_model(config_, images_)) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

nn::Description VisionRun::layers() const { return nn::describe(*model_); }

std::vector<double> VisionRun::classify(const Tensor& image) const {
  const NoGrad no_grad;
  const Tensor one = raw::reshape(image, {1, images_.channels, images_.height, images_.width});
  const Tensor logits = (*model_)(data::normalize(one, images_.normalization));
  nn::check_logits("predict", logits.to_vector<double>());  // what has no order is not ranked
  return softmax(logits).to_vector<double>();
}

ImageGuess VisionRun::guess_file(const std::string& file, const std::string& invert) const {
  const Picture picture = load_picture(file, invert);
  return {.probabilities = classify(picture.pixels),
          .class_names = images_.class_names,
          .inverted = picture.inverted,
          .note = picture.note};
}

ImageGuess VisionRun::guess_test_image(std::int64_t number) {
  if (!data_) data_ = images();
  const Tensor& labels = data_->labels(data::Split::test);
  const std::int64_t count = labels.numel();
  if (count == 0)
    fail<IndexError>("predict",
                     "test image {} does not exist: {} has no test images; name PNG files", number,
                     data_->source());
  if (number < 0 || number >= count)
    fail<IndexError>("predict", "test image {} does not exist: there are {}, from 0 to {}", number,
                     count, count - 1);
  const Tensor image = raw::slice(data_->images(data::Split::test), 0, number, number + 1);
  return {.probabilities = classify(image),
          .class_names = images_.class_names,
          .truth = labels.data<std::uint8_t>()[number]};
}

const nn::Vit& VisionRun::vit() const {
  const auto* const vit = dynamic_cast<const nn::Vit*>(model_.get());
  if (vit == nullptr)
    fail<ConfigError>("explain",
                      "a {} has no attention; this command expects a vision run of model vit",
                      config_.model.name());
  return *vit;
}

ImageAttention::Grid VisionRun::attention_grid() const {
  const nn::VitConfig& config = vit().config();
  return {.layers = config.n_layer,
          .heads = config.n_head,
          .channels = config.channels,
          .height = config.image_height,
          .width = config.image_width,
          .patch = config.patch_size,
          .class_token = config.pooling == nn::Pooling::cls};
}

std::string VisionRun::model_line() const {
  const std::int64_t patch = vit().config().patch_size;
  return fmt::format("ViT, {}, patches of {} x {} pixels, step {}", vit().details(), patch, patch,
                     run().facts.progress.step);
}

std::vector<Tensor> VisionRun::attention(const Tensor& images) const {
  std::vector<Tensor> weights;
  vit().forward(data::normalize(images, images_.normalization), &weights);
  return weights;
}

data::ImageData VisionRun::images() const {
  data::ImageData images = load_images(config_, images_);
  check_unchanged(fingerprint_of(images, config_.format), run().facts, config_.data);
  return images;
}

Picture VisionRun::load_picture(const std::string& file, const std::string& invert) const {
  Picture picture{.pixels = data::load_picture(file, images_.channels)};
  if (picture.pixels.size(1) != images_.height || picture.pixels.size(2) != images_.width) {
    // As the training pictures were, where they were scaled; else all of it is shown.
    const bool was_cut = !images_.class_names.empty() && images_.height == images_.width;
    picture.pixels = was_cut ? data::resize_and_crop(picture.pixels, images_.height)
                             : data::resize_images(picture.pixels, images_.height, images_.width,
                                                   data::Filter::area);
  }
  picture.inverted = invert_where_needed(picture.pixels, images_, invert);
  if (picture.inverted) picture.note = inversion_note(file, images_);
  if (config_.shuffle_pixels) picture.pixels = data::shuffle_pixels(picture.pixels);
  return picture;
}

std::string fingerprint_of(const data::ImageData& images, std::int64_t format) {
  using data::Split;
  std::uint64_t hash = data::batch_hash(images.images(Split::train), images.labels(Split::train));
  if (format >= 3) {
    for (const Split split : {Split::validation, Split::test})
      hash = data::batch_hash(images.images(split), images.labels(split), hash);
  }
  return data::hash_text(hash);
}

}  // namespace weft::train
