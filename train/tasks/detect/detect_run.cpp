#include "train/tasks/detect/detect_run.h"

#include "data/image/picture.h"
#include "data/split.h"
#include "train/tasks/detect/draw_boxes.h"

namespace weft::train {

DetectRun::DetectRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<DetectConfig>(run.config_json, run.checkpoint.string())),
      facts_(DetectionFacts::from_json(run.facts.data, run.checkpoint.string())),
      model_(build_detector(config_, facts_.images)) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

nn::Description DetectRun::layers() const {
  return nn::describe(*model_, [&] { model_->detect(model_->example_input(1)); });
}

std::vector<nn::Detection> DetectRun::detect(const Tensor& pixels) const {
  const ImageFacts& images = facts_.images;
  return model_->detect(data::normalize(raw::reshape(pixels, {1, 1, images.height, images.width}),
                                        images.normalization))[0];
}

SeenPicture DetectRun::look_at_file(const std::string& file, const std::string& invert) const {
  const std::int64_t height = facts_.images.height, width = facts_.images.width;
  SeenPicture seen{.pixels = data::load_picture(file, 1)};
  seen.scale_x = static_cast<double>(seen.pixels.size(2)) / static_cast<double>(width);
  seen.scale_y = static_cast<double>(seen.pixels.size(1)) / static_cast<double>(height);
  if (seen.pixels.size(1) != height || seen.pixels.size(2) != width)
    seen.pixels = data::resize_images(seen.pixels, height, width);
  seen.inverted = invert_where_needed(seen.pixels, facts_.images, invert);
  if (seen.inverted) seen.note = inversion_note(file, facts_.images);
  seen.found = detect(seen.pixels);
  return seen;
}

SeenPicture DetectRun::look_at_scene(std::int64_t number) {
  if (!scenes_) {
    const auto scenes = load_scenes(config_);
    check_unchanged(data::hash_text(scenes->fingerprint(config_.format >= 3)), run().facts,
                    config_.data);
    scenes_ = scenes;
  }
  const data::Scene scene = scenes_->scene(data::Split::test, number);
  const Tensor boxes = raw::reshape(scene.boxes, {1, scene.boxes.size(0), 5});
  return {.pixels = scene.image,
          .found = detect(scene.image),
          .objects = nn::box_targets(boxes, facts_.images.height, facts_.images.width,
                                     facts_.images.classes, "scenes")[0]};
}

Tensor DetectRun::draw(const SeenPicture& seen) const {
  return draw_boxes(seen.pixels, seen.found, seen.objects);
}

}  // namespace weft::train
