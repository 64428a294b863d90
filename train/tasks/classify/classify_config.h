// What a classify run is: a model that names the class of a text.
#pragma once

#include "train/tasks/common/encoder_config.h"

namespace weft::train {

class Kind;

struct ClassifyConfig : EncoderConfig {
  ClassifyConfig();

  std::string
      from;  ///< a bert run whose encoder and vocabulary this one begins with; its flag is --init
  std::int64_t pretrain =
      0;  ///< of the steps, so many fill in hidden words of the training texts first
  std::string
      positive;  ///< the label that F1 is of; empty: of two the rarer; of more there is macro-F1
};

/// The models of classify runs. A new one is one line in train/tasks/classify/classify_models.cpp.
const Registry& classify_models();

const Kind& kind_of(const ClassifyConfig&);

}  // namespace weft::train
