// What a tokens run is: a model that tells a class or a number from a sequence of real-valued
// tokens, or from a row of a table.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct TokensConfig : RunConfig {
  TokensConfig();

  std::string data = "different";  ///< a made-up task, "wine", or a file of separated values
  std::int64_t tokens = 4;         ///< made-up tasks: of a row, and their dimensions
  std::int64_t features = 8;
  double units = 1;
  bool standardize = false;
  double at_least = 0;          ///< tables: 0 for the number itself
  std::int64_t train = 0;       ///< rows; 0: 8192 made-up ones, or all that are left
  std::int64_t validation = 0;  ///< 0: 2000 made-up ones, or a fifth of a table
  std::int64_t test = 0;
  std::int64_t steps = 1000;
};

/// The models of tokens runs. A new one is one line in train/tasks/tokens/tokens_models.cpp.
const Registry& tokens_models();

const Kind& kind_of(const TokensConfig&);

}  // namespace weft::train
