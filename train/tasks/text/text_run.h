// A text run that is used: its configuration, its data, and its model with the weights in it.
#pragma once

#include <memory>
#include <string>

#include "data/text/text_dataset.h"
#include "nn/models/gpt.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/text/text_config.h"

namespace weft::train {

struct TextRun {
  TextConfig config;
  std::shared_ptr<const data::Tokenizer> tokenizer;
  std::unique_ptr<nn::Gpt> model;  ///< in evaluation mode
  Progress progress;
};

/// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
/// torn one.
TextRun load_text_run(const RunFacts& run);

/// What Task::fingerprint() says of such data.
std::string fingerprint_of(const data::TextData& text);
/// The text that a run learned from, with its tokenizer. Throws IoError where it is not there,
/// ConfigError where another is in its place.
data::TextData text_of_run(const TextRun& run, const CheckpointFacts& facts);

}  // namespace weft::train
