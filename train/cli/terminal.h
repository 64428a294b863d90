// What is known of the terminal behind stderr.
#pragma once

#include <string>

namespace weft::cli {

bool is_terminal();  ///< and not a dumb one
/// Whether LC_ALL, or else LC_CTYPE, or else LANG names UTF-8, however it is spelled
/// ("en_US.utf-8", "C.UTF8").
bool speaks_utf8();
bool wants_colors();  ///< a terminal, and NO_COLOR is not set
int terminal_columns();
int terminal_rows();
/// Written to stderr at once. What cannot be written is lost: nothing hangs on it.
void put_terminal(const std::string& text);
/// A line of its own, where a bar may be drawn.
void put_line(const std::string& text);

}  // namespace weft::cli
