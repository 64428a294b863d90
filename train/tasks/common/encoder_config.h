// The choices of every run with a BERT in it.
#pragma once

#include "train/config/block_options.h"
#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

/// Of a BERT.
struct BertChoices : LayerOptions {
  BertChoices() {
    layers = 2;
    dropout = 0.1;
  }

  double init_std = 0.02;
};

struct EncoderConfig : RunConfig {
  explicit EncoderConfig(const Registry& models);

  std::string data = "shakespeare";
  std::string tokenizer = "pieces";
  std::int64_t vocabulary = 4000;
  bool lowercase = true;
  std::int64_t context = 128;
  double mask_share = 0.15;
  bool whole_words = false;
  std::int64_t steps = 2000;
  std::int64_t eval_tokens = -1;  ///< -1: all, or kWholeValidation of a longer split
  bool whole_at_end = true;
};

/// Of a bert run, which classify runs may start from.
struct BertRunConfig : EncoderConfig {
  BertRunConfig();

  double test_share = 0;  ///< of texts without labels
};

const Kind& kind_of(const BertRunConfig&);

}  // namespace weft::train
