// A vision run that is used: its configuration, its data, and its model with the weights in it.
#pragma once

#include <memory>
#include <string>

#include "data/image/image_dataset.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {

struct VisionRun {
  VisionConfig config;
  ImageFacts images;
  std::unique_ptr<nn::Model> model;  ///< in evaluation mode
  Progress progress;
};

/// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
/// torn one.
VisionRun load_vision_run(const RunFacts& run);

/// What Task::fingerprint() says of such data `format`: of the run's configuration;
/// before format 3 a change of images that are only measured on was not noticed.
std::string fingerprint_of(const data::ImageData& images, std::int64_t format);
/// The images that a run learned from, normalized as they were. Throws IoError where they are not
/// there, ConfigError where others are in their place.
data::ImageData images_of_run(const VisionRun& run, const CheckpointFacts& facts);

struct Picture {
  Tensor pixels;          ///< u8 (C, H, W), of the run's size
  bool inverted = false;  ///< light and dark were exchanged
};

/// A PNG file, scaled. `invert`: yes, no, or auto, see invert_where_needed(). Throws IoError.
Picture load_picture(const VisionRun& run, const std::string& file,
                     const std::string& invert = "auto");

}  // namespace weft::train
