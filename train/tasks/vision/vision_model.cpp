#include "train/tasks/vision/vision_model.h"

#include "train/tasks/common/image_facts.h"

namespace weft::train {

data::ImageData load_images(const VisionConfig& c, const std::optional<ImageFacts>& learned,
                            bool validate) {
  data::ImageOptions options;
  options.validation = !validate ? 0 : c.validation > 0 ? c.validation : data::ImageOptions::kTenth;
  options.held_out = held_out(c.validation_rule);
  options.share = c.train_share;
  options.seed = static_cast<std::uint64_t>(c.seed);
  options.shuffle_pixels = c.shuffle_pixels;
  options.image_size = c.image_size;
  options.keep_test = validate;  // other data are measured whole
  if (learned) {
    options.normalization = learned->normalization;
    options.class_order = learned->class_names;
    // Pictures that are a file each come in many sizes: as those that were learned from.
    if (!validate && !learned->class_names.empty() && learned->height == learned->width)
      options.image_size = learned->height;
  }
  options.skip_bad = c.skip_bad;
  return data::load_images(c.data, options);
}

}  // namespace weft::train
