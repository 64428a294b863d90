// A bert run that is used.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/text/word_tokenizer.h"
#include "nn/models/bert.h"
#include "train/tasks/common/encoder_config.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {

struct BertRun {
  BertRunConfig config;
  std::shared_ptr<const data::WordTokenizer> tokenizer;
  std::unique_ptr<nn::Bert> model;  ///< in evaluation mode
  Progress progress;
};
/// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
/// torn one.
BertRun load_bert_run(const RunFacts& run);

}  // namespace weft::train
