// What a text run is: a model that predicts the next token.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct TextConfig : RunConfig {
  TextConfig();

  std::string data = "shakespeare";
  std::string tokenizer = "char";
  std::int64_t vocab_size = 1024;  ///< of bpe and unigram
  std::string tokenizer_file;      ///< a SentencePiece model
  std::int64_t context = 64;
  double test_share = 0;
  std::int64_t steps = 2000;
  std::int64_t eval_tokens = -1;  ///< -1: all, or kWholeValidation of a longer split
  bool whole_at_end = true;
};

/// The models of text runs. A new one is one line in train/tasks/text/text_models.cpp.
const Registry& text_models();

/// The kind of run that TextConfig configures, as every config header has it.
const Kind& kind_of(const TextConfig&);

std::vector<Preset> text_presets();

}  // namespace weft::train
