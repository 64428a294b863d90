#include "train/tasks/vision/vision_run.h"

#include "core/error.h"
#include "data/image/png.h"
#include "data/split.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {

VisionRun load_vision_run(const RunFacts& run) {
  want_kind(run, "vision");
  VisionRun loaded;
  loaded.config = config_from_json<VisionConfig>(run.config_json, run.checkpoint.string());
  loaded.images = ImageFacts::from_json(run.facts.data, run.checkpoint.string());
  loaded.model = build_model(loaded.config, loaded.images);
  load_weights(run.checkpoint, *loaded.model);
  loaded.model->eval();
  loaded.progress = run.facts.progress;
  return loaded;
}

std::string fingerprint_of(const data::ImageData& images, std::int64_t format) {
  using data::Split;
  std::uint64_t hash = data::batch_hash(images.images(Split::train), images.labels(Split::train));
  if (format >= 3) {
    for (const Split split : {Split::validation, Split::test})
      hash = data::batch_hash(images.images(split), images.labels(split), hash);
  }
  return hexadecimal(hash);
}

data::ImageData images_of_run(const VisionRun& run, const CheckpointFacts& facts) {
  data::ImageData images = load_images(run.config, run.images.normalization);
  check_unchanged(fingerprint_of(images, run.config.format), facts, run.config.data);
  return images;
}

Picture load_picture(const VisionRun& run, const std::string& file, const std::string& invert) {
  Picture picture{.pixels = data::load_png(file, run.images.channels)};
  if (picture.pixels.size(1) != run.images.height || picture.pixels.size(2) != run.images.width)
    picture.pixels = data::resize_images(picture.pixels, run.images.height, run.images.width,
                                         data::Filter::area);
  picture.inverted = invert_where_needed(picture.pixels, run.images, invert);
  if (run.config.shuffle_pixels) picture.pixels = data::shuffle_pixels(picture.pixels);
  return picture;
}

}  // namespace weft::train
