// What a translate run is: an encoder and a decoder that write a text to a text.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct TranslateConfig : RunConfig {
  TranslateConfig();

  std::string data = "tang";
  std::int64_t context = 64;
  bool skip_long = false;  ///< pairs that the context does not hold are left out
  std::string positions = "sinusoidal";
  bool tie = true;
  std::int64_t steps = 3000;
  std::int64_t eval_tokens = -1;  ///< of targets; -1: all, or kWholeValidation of a longer split
  bool whole_at_end = true;
};

const Kind& kind_of(const TranslateConfig&);

}  // namespace weft::train
