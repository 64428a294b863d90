// What the words of a command line ask for.
#pragma once

#include <string>

#include "train/cli/cli.h"

namespace weft::cli {

/// Either something to do, or an exit code with what is to be said.
struct CommandLine {
  Action action{};
  int code = kDone;
  std::string answer{};  ///< for stdout: help, the version
  std::string error{};   ///< for stderr
};

/// Reads all words, the program's name first; does nothing yet, and opens no file.
CommandLine read_command_line(int argc, const char* const* argv);

}  // namespace weft::cli
