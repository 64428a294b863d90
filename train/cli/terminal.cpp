#include "train/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace weft::cli {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// Of "language_TERRITORY.codeset@modifier".
bool names_utf8(std::string_view locale) {
  const auto dot = locale.find('.');
  if (dot == std::string_view::npos) return false;
  std::string codeset;
  for (const char c : locale.substr(dot + 1, locale.find('@', dot) - dot - 1))
    if (c != '-' && c != '_')
      codeset += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return codeset == "utf8";
}

struct winsize terminal_size() {
  struct winsize size {};
  ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

bool is_terminal() {
  return ::isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb" &&
         !environment("TERM").empty();
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment(name);
    if (!value.empty()) return names_utf8(value);
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
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void put_line(const std::string& text) {
  put_terminal((is_terminal() ? "\r\x1b[K" : "") + text + "\n");
}

}  // namespace weft::cli
