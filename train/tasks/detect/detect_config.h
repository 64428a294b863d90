// What a detect run is: a model that finds digits in scenes.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct DetectConfig : RunConfig {
  DetectConfig();

  std::string data = "mnist";
  std::string validation_rule = "stratified";
  std::int64_t max_digits = 6;
  std::int64_t clutter = 8;
  std::int64_t eval_scenes = 300;
  std::int64_t steps = 2000;
};

/// The models of detect runs. A new one is one line in train/tasks/detect/detect_models.cpp.
const Registry& detect_models();

const Kind& kind_of(const DetectConfig&);

}  // namespace weft::train
