#include "train/picture.h"

#include "data/image/png.h"

namespace weft::train {

Picture load_picture(const VisionRun& run, const std::string& file, const std::string& invert) {
  Picture picture{.pixels = data::load_png(file, run.images.channels)};
  if (picture.pixels.size(1) != run.images.height || picture.pixels.size(2) != run.images.width)
    picture.pixels = data::resize_images(picture.pixels, run.images.height, run.images.width, data::Filter::area);
  picture.inverted = invert == "yes" || (invert == "auto" && data::looks_inverted(picture.pixels, run.images.normalization));
  if (picture.inverted) picture.pixels = data::invert_image(picture.pixels);
  if (run.config.shuffle_pixels) picture.pixels = data::shuffle_pixels(picture.pixels);
  return picture;
}

}  // namespace weft::train
