// What a model that sees pictures must know of those it learned from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/image/image_dataset.h"

namespace weft::train {

/// What a vision model must know of its images.
struct ImageFacts {
  std::int64_t channels = 1;
  std::int64_t height = 28;
  std::int64_t width = 28;
  std::int64_t classes = 10;
  data::Normalization normalization{};
  std::vector<std::string> class_names{};  ///< by label; none: labels are numbers
  data::Edges edges =
      data::Edges::unknown;  ///< of the training images; unknown in runs of earlier versions

  /// What a class is called: its name, or its number.
  std::string class_name(std::int64_t label) const;
  std::string to_json() const;
  /// Throws ConfigError, `[where] ...`.
  static ImageFacts from_json(const std::string& json, const std::string& where);
};

/// The sizes that the configurations M of all models of images share.
template <class M>
void set_images(M& m, const ImageFacts& images) {
  m.n_class = images.classes;
  m.image_height = images.height;
  m.image_width = images.width;
  m.channels = images.channels;
}

/// Names of the rules by which validation images are chosen, the present one first; `last` is that
/// of runs up to format 2.
inline constexpr const char* kHeldOutStratified = "stratified";
inline constexpr const char* kHeldOutLast = "last";
data::HeldOut held_out(const std::string& validation_rule);

/// Exchanges light and dark of u8 pixels where `invert` is yes, or where it is auto and the picture
/// is drawn the other way round than the training images, whose edges are all dark or all light: so
/// it is done for digits, never for photographs. Returns whether it was done.
bool invert_where_needed(Tensor& pixels, const ImageFacts& images, const std::string& invert);
/// What whoever gave the picture must know of that, in a sentence: that it was done, and why.
std::string inversion_note(const std::string& file, const ImageFacts& images);

}  // namespace weft::train
