// Runs another program to its end and keeps what it printed.
#pragma once

#include <string>
#include <vector>

namespace weft::bench {

struct ChildOutcome {
  int code = -1;    ///< exit status; 128 + signal when a signal ended it
  std::string out;  ///< stdout
  std::string err;  ///< stderr
};

/// Nothing to read on stdin. Throws IoError when it cannot be started, or prints more than any
/// measurement would.
ChildOutcome run_child(const std::vector<std::string>& command);
/// By /bin/sh.
ChildOutcome run_shell(const std::string& command);

}  // namespace weft::bench
