// What a vision run is: a model that names the class of an image.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct VisionConfig : RunConfig {
  VisionConfig();

  std::string data = "mnist";
  std::int64_t epochs = 5;
  std::int64_t steps = 0;  ///< 0: to the end of the epochs
  std::int64_t shift = 0;
  bool flip = false;
  double least_crop = 1;
  std::int64_t rand_augment = 0;
  std::int64_t rand_magnitude = 9;
  double rotate = 0;
  double color_jitter = 0;
  double erase = 0;
  double mixup = 0;  ///< alpha of the Beta distribution; 0: never
  double cutmix = 0;
  std::int64_t validation = 0;  ///< 0: a tenth of the training images, at most 5,000
  std::string validation_rule = "stratified";
  double train_share = 1;
  bool shuffle_pixels = false;
  std::int64_t image_size = 0;  ///< 0: as the pictures are
  bool skip_bad = false;
};

/// The models of vision runs. A new one is one line in train/tasks/vision/vision_models.cpp.
const Registry& vision_models();

const Kind& kind_of(const VisionConfig&);

std::vector<Preset> vision_presets();

}  // namespace weft::train
