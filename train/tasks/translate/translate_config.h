// What a translate run is: an encoder and a decoder that write a text to a text.
#pragma once

#include "train/config/block_options.h"
#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

/// The encoder and the decoder, as they were first described.
struct TranslateChoices : BlockOptions {
  TranslateChoices() {
    layers = 2;
    post_norm = true;
    activation = "relu";
    init = "torch";
    dropout = 0.2;
    positions = "sinusoidal";
  }

  bool tie = true;
};

struct TranslateConfig : RunConfig {
  TranslateConfig();

  std::string data = "tang";
  std::int64_t context = 64;
  bool skip_long = false;  ///< pairs that the context does not hold are left out
  std::int64_t steps = 3000;
  std::int64_t eval_tokens = -1;  ///< of targets; -1: all, or kWholeValidation of a longer split
  bool whole_at_end = true;
};

const Kind& kind_of(const TranslateConfig&);

}  // namespace weft::train
