// What a sequence run is: a transformer that learns a rule on made-up sequences of symbols.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct SequenceConfig : RunConfig {
  SequenceConfig();

  std::string data = "recall";
  std::int64_t symbols = 64;
  std::int64_t length = 64;
  std::int64_t pairs = 4;
  std::int64_t modulus = 97;
  double train_fraction = 0.5;
  bool fresh_test = false;
  std::int64_t held_out = 1000;
  std::int64_t steps = 2000;
};

/// The models of sequence runs. A new one is one line in train/tasks/sequence/sequence_models.cpp.
const Registry& sequence_models();

const Kind& kind_of(const SequenceConfig&);

std::vector<Preset> sequence_presets();

}  // namespace weft::train
