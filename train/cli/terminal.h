// What is known of the terminal behind stderr.
#pragma once

#include <string>

namespace weft::cli {

bool is_terminal();   ///< and not a dumb one
bool speaks_utf8();
bool wants_colors();  ///< a terminal, and NO_COLOR is not set
int terminal_columns();
int terminal_rows();
/// Written to stderr at once.
void put_terminal(const std::string& text);

}  // namespace weft::cli
