#include "train/picture.h"

#include <fmt/format.h>

#include "data/image/png.h"

namespace weft::train {

bool invert_where_needed(Tensor& pixels, const ImageFacts& images, const std::string& invert) {
  const bool wanted =
      invert == "yes" ||
      (invert == "auto" && data::looks_inverted(pixels, images.edges, images.normalization));
  if (wanted) pixels = data::invert_image(pixels);
  return wanted;
}

std::string inversion_note(const std::string& file, const ImageFacts& images) {
  const std::string trained_on =
      images.edges == data::Edges::dark
          ? "its edge is light, and those of the training images are dark"
      : images.edges == data::Edges::light
          ? "its edge is dark, and those of the training images are light"
          : "its edge does not look like the mean of the training images, and this run "
            "of an earlier version does not say more of them";
  return fmt::format("{}: light and dark are exchanged, because {}", file, trained_on);
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
