// A picture from outside, made to fit a run's model.
#pragma once

#include <string>

#include "train/load_run.h"

namespace weft::train {

struct Picture {
  Tensor pixels;          ///< u8 (C, H, W), of the run's size
  bool inverted = false;  ///< light and dark were exchanged
};

/// A PNG file, scaled. `invert`: yes, no, or auto, which looks at the edge. Throws IoError.
Picture load_picture(const VisionRun& run, const std::string& file, const std::string& invert = "auto");

}  // namespace weft::train
