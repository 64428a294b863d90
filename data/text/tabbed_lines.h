// Files of two texts a line with a tab between them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::data {

struct TabbedLine {
  std::string left;   ///< without blanks around it, as `right`
  std::string right;
  std::int64_t line = 0;  ///< its number in the file, from 1
};

/// Empty lines count for nothing. `left` and `right` say in errors what stands there: "label", "text".
/// Throws IoError `[where:LINE] ...` for a line without a tab, with nothing before or after it, or not UTF-8; and where there is no line at all.
std::vector<TabbedLine> parse_tabbed_lines(std::string_view text, const std::string& where, std::string_view left, std::string_view right);

}  // namespace weft::data
