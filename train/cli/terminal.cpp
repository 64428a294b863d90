#include "train/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace weft::cli {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

struct winsize terminal_size() {
  struct winsize size{};
  ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

bool is_terminal() { return ::isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb" && !environment("TERM").empty(); }

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment(name);
    if (!value.empty()) return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
  }
  return false;
}

bool wants_colors() { return is_terminal() && environment("NO_COLOR").empty(); }

int terminal_columns() {
  const int columns = terminal_size().ws_col;
  return columns > 0 ? columns : 80;
}

int terminal_rows() {
  const int rows = terminal_size().ws_row;
  return rows > 0 ? rows : 24;
}

void put_terminal(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace weft::cli
