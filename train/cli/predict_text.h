// weft predict RUN --text: the class of a text, the words that are missing in it, or the text that
// belongs to it.
#pragma once

#include <string>
#include <vector>
#include "train/tasks/common/run_facts.h"

namespace weft::cli {

struct TextPredictions {
  std::vector<std::string> texts;
  int top = 3;
  int beam = 4;  ///< of a translate run
  bool json = false;
};

/// Throws ConfigError for a run of another kind than classify, bert and translate.
int predict_texts(const train::RunFacts& run, const TextPredictions& wanted);

}  // namespace weft::cli
