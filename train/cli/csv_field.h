// A field of a CSV file.
#pragma once

#include <string>

namespace weft::cli {

/// In quotes where RFC 4180 wants them.
inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace weft::cli
