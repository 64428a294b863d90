// Picture files and their scaling, as Pillow reads and scales them.
#include <string>

#include "data/image/picture.h"
#include "data/image/picture_ops.h"
#include "data/image/transform.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

/// The largest difference of two pictures, in levels.
double levels_apart(const Tensor& ours, const Tensor& theirs) {
  if (ours.shape() != theirs.shape()) return 1e9;
  const auto a = ours.to_vector<double>(), b = theirs.to_vector<double>();
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

std::string picture_file(const std::string& name) {
  return std::string(WEFT_SOURCE_DIR) + "/tests/golden/files/pictures/" + name;
}

}  // namespace

TEST_CASE("PNG, JPEG and WebP files hold what Pillow sees in them, turned as EXIF says") {
  int files = 0;
  for (const auto& entry : golden::load("pictures")) {
    const std::string& key = entry.first;  // clang 14 captures no structured binding
    const Tensor& theirs = entry.second;
    if (!key.ends_with("/rgb")) continue;
    CAPTURE(key);
    const std::string file = picture_file(key.substr(0, key.size() - 4));
    const Tensor ours = data::load_picture(file, 3);
    CHECK(levels_apart(ours, theirs) == 0);
    const data::PictureInfo info = data::picture_info(file);
    CHECK(info.height == theirs.size(1));
    CHECK(info.width == theirs.size(2));
    CHECK(info.color == (key.find("gray") == std::string::npos));
    CHECK(data::load_picture(file, 1).shape() == Shape{1, theirs.size(1), theirs.size(2)});
    ++files;
  }
  CHECK(files == 15);
}

TEST_CASE("pictures are scaled as Pillow's bilinear filter scales them, to within a level") {
  const Tensor picture = data::load_picture(picture_file("color.png"), 3);
  int sizes = 0;
  for (const auto& entry : golden::load("pictures")) {
    const std::string& key = entry.first;  // clang 14 captures no structured binding
    const Tensor& theirs = entry.second;
    CAPTURE(key);
    if (key.starts_with("resized/"))
      CHECK(levels_apart(data::resize_images(picture, theirs.size(1), theirs.size(2)), theirs) <=
            1);
    else if (key.starts_with("cropped/"))
      CHECK(levels_apart(data::resize_and_crop(picture, theirs.size(1)), theirs) <= 1);
    else
      continue;
    ++sizes;
  }
  CHECK(sizes == 7);
}

TEST_CASE("pictures are changed as Pillow changes them, to within a level") {
  const Tensor picture = data::load_picture(picture_file("color.png"), 3);
  int changes = 0;
  for (const auto& entry : golden::load("pictures")) {
    const std::string& key = entry.first;  // clang 14 captures no structured binding
    const Tensor& theirs = entry.second;
    if (!key.starts_with("op/")) continue;
    CAPTURE(key);
    const std::string what = key.substr(3, key.find('/', 3) - 3);
    const double amount = std::stod(key.substr(key.find('/', 3) + 1));
    const int whole = static_cast<int>(amount);
    const Tensor ours = what == "brightness"     ? data::adjust_brightness(picture, amount)
                        : what == "contrast"     ? data::adjust_contrast(picture, amount)
                        : what == "color"        ? data::adjust_color(picture, amount)
                        : what == "sharpness"    ? data::adjust_sharpness(picture, amount)
                        : what == "autocontrast" ? data::autocontrast(picture)
                        : what == "equalize"     ? data::equalize(picture)
                        : what == "posterize"    ? data::posterize(picture, whole)
                        : what == "solarize"     ? data::solarize(picture, whole)
                        : what == "rotate"       ? data::rotate(picture, amount, 7)
                                           : data::affine(picture, {1, amount, 0, 0, 1, 0}, 7);
    CHECK(levels_apart(ours, theirs) <= 1);
    ++changes;
  }
  CHECK(changes == 30);
}

}  // namespace weft
