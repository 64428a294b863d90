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
  std::int64_t held_out = 1000;
  std::string model = "gpt";
  std::string positions = "learned";
  bool tie = false;
  std::int64_t steps = 2000;
};

const Kind& kind_of(const SequenceConfig&);

std::vector<Preset> sequence_presets();

}  // namespace weft::train
