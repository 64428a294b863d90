// What an embedding run is: vectors for words, from what stands around them.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct SkipGramChoices : ModelOptions {
  std::int64_t width = 64;
};

struct EmbeddingConfig : RunConfig {
  EmbeddingConfig();

  std::string data = "shakespeare";  ///< or "synonyms", the planted corpus
  std::string tokenizer = "words";
  std::int64_t vocabulary = 20000;
  std::int64_t min_count = 5;
  bool lowercase = true;
  std::int64_t window = 5;
  std::int64_t negatives = 5;
  double subsample = 1e-3;
  double test_share = 0;
  std::int64_t steps = 10000;
};

const Kind& kind_of(const EmbeddingConfig&);

}  // namespace weft::train
