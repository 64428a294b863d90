// The program's command line as a reader: a word a line. Apart from the others, since CLI11 takes
// long to compile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::fuzz {

std::vector<std::string> command_line_seeds();
/// Throws ConfigError for words that ask for nothing.
void read_words(std::string_view bytes);

}  // namespace weft::fuzz
