#include "data/text/tabbed_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

std::string_view trim_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<TabbedLine> parse_tabbed_lines(std::string_view text, const std::string& where, std::string_view left_name, std::string_view right_name) {
  std::vector<TabbedLine> lines;
  std::int64_t number = 0;
  for (text = skip_bom(text); !text.empty();) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const auto tab = line.find('\t');
    if (trim_blanks(line).empty() && tab == std::string_view::npos) continue;
    const std::string place = fmt::format("{}:{}", where, number);
    for (std::size_t byte = 0; byte < line.size();) {
      const auto step = next_utf8(line.substr(byte, 4));
      if (step.kind != Utf8Step::Kind::character) fail<IoError>(place, "not UTF-8 at byte {} of the line; convert the file, for example with iconv -t UTF-8", byte);
      byte += static_cast<std::size_t>(step.length);
    }
    if (tab == std::string_view::npos) fail<IoError>(place, "no tab: a line is a {}, a tab and a {}", left_name, right_name);
    const auto left = trim_blanks(line.substr(0, tab)), right = trim_blanks(line.substr(tab + 1));
    if (left.empty()) fail<IoError>(place, "no {} before the tab", left_name);
    if (right.empty()) fail<IoError>(place, "no {} after the tab", right_name);
    lines.push_back({std::string(left), std::string(right), number});
  }
  if (lines.empty()) fail<IoError>(where, "holds no examples: wants lines of a {}, a tab and a {}", left_name, right_name);
  return lines;
}

}  // namespace weft::data
