// A picture from outside, made to fit a run's model.
#pragma once

#include <string>

#include "train/load_run.h"

namespace weft::train {

/// Exchanges light and dark of u8 pixels where `invert` is yes, or where it is auto and the picture
/// is drawn the other way round than the training images, whose edges are all dark or all light: so
/// it is done for digits, never for photographs. Returns whether it was done.
bool invert_where_needed(Tensor& pixels, const ImageFacts& images, const std::string& invert);
/// What whoever gave the picture must know of that, in a sentence: that it was done, and why.
std::string inversion_note(const std::string& file, const ImageFacts& images);

struct Picture {
  Tensor pixels;          ///< u8 (C, H, W), of the run's size
  bool inverted = false;  ///< light and dark were exchanged
};

/// A PNG file, scaled. `invert`: yes, no, or auto, see above. Throws IoError.
Picture load_picture(const VisionRun& run, const std::string& file,
                     const std::string& invert = "auto");

}  // namespace weft::train
