// weft predict RUN --text: the class of a text, or the words that are missing in it.
#pragma once

#include <string>
#include <vector>

#include "train/load_run.h"

namespace weft::cli {

/// Throws ConfigError for a run of another kind than classify and bert.
int predict_texts(const train::RunFacts& run, const std::vector<std::string>& texts, int top, bool json);

}  // namespace weft::cli
