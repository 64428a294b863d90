// What a user reads when the program does not do what was asked.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/cli/run_program.h"

namespace weft::test {

/// One line that says what is wrong, and nothing else; usage errors are followed by a line that
/// points at the help.
inline void check_refused(const Outcome& outcome, int code, const std::string& says) {
  CAPTURE(outcome.err);
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.rfind("weft: [", 0) == 0);
  CHECK(outcome.err.find("] ") != std::string::npos);
  CHECK(outcome.err.find(says) != std::string::npos);
  const auto lines = std::count(outcome.err.begin(), outcome.err.end(), '\n');
  CHECK((lines == 1 || (lines == 2 && outcome.err.find("\nSee `weft") != std::string::npos)));
}

}  // namespace weft::test
