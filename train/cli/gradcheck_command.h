// `weft gradcheck [PATTERN] [--json]`: the gradient of every op, module and model against differences of values.
#pragma once

#include <string>

namespace weft::cli {

struct GradcheckCommand {
  std::string pattern;  ///< only samples whose name holds this text, in either case; empty: all
  bool json = false;    ///< a list of objects with `name`, `kind`, `worst_error`, `passed` and more, instead of a table
};

/// Prints a line a sample to stdout, progress to stderr when that is a terminal. Returns 0 when all pass, 1 when one fails or
/// throws. Throws: ConfigError when no sample matches the pattern.
int run_gradcheck(const GradcheckCommand& command);

}  // namespace weft::cli
