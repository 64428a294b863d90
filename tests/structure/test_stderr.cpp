// What is said on stderr is never an error: nobody may be there to read it, or the terminal is
// gone.
#include <doctest/doctest.h>

#include "tests/structure/source_files.h"

using namespace weft::structure;

TEST_CASE("nothing is printed to stderr by what throws where it cannot be written") {
  for (const SourceFile& file : sources({"core", "data", "autograd", "nn", "optim", "train"}))
    for (const std::string& line : file.lines)
      CHECK_MESSAGE((line.find("print(stderr") == std::string::npos &&
                     line.find("std::cerr") == std::string::npos),
                    file.path, ": ", line, ": use put_line() of train/cli/terminal.h");
}
