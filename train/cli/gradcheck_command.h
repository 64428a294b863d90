// `weft gradcheck [PATTERN] [--seeds N] [--json]`: the gradient of every op, module and model
// against differences of values.
#pragma once

#include <cstdint>
#include <string>

namespace weft::cli {

struct GradcheckCommand {
  std::string pattern;     ///< only samples whose name holds this text, in either case; empty: all
  std::string kind{};      ///< op, module or model; empty: all
  std::uint64_t seed = 0;  ///< the first seed; 0 gives the numbers that the tests check
  std::int64_t seeds = 1;  ///< how many, one after the other
  bool json = false;  ///< a list of objects with `name`, `kind`, `worst_error`, `passed` and more,
                      ///< instead of a table
};

/// Prints a line a sample to stdout, progress to stderr when that is a terminal. Returns 0 when all
/// pass, 1 when one fails or throws. Throws: ConfigError when no sample matches the pattern and the
/// kind, or there are no seeds.
int run_gradcheck(const GradcheckCommand& command);

}  // namespace weft::cli
