// The model of a bert run, for those that go on from it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/text/word_tokenizer.h"
#include "nn/models/bert.h"
#include "train/tasks/common/encoder_config.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {

struct PretrainedEncoder {
  BertRunConfig config;
  std::shared_ptr<const data::WordTokenizer> tokenizer;
  std::unique_ptr<nn::Bert> model;  ///< in evaluation mode
};
/// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
/// torn one.
PretrainedEncoder load_pretrained_encoder(const RunFacts& run);

}  // namespace weft::train
