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
  std::string model = "faster_rcnn";
  std::int64_t patch = 8;
  std::string positions = "learned";
  std::int64_t queries = 12;
  std::int64_t steps = 2000;
};

const Kind& kind_of(const DetectConfig&);

}  // namespace weft::train
