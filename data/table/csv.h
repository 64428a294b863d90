// Tables of numbers from files of separated values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace weft::data {

struct CsvOptions {
  char separator = '\0';  ///< zero: the one of `;`, tab and `,` that the first line holds most of
};

struct CsvTable {
  std::vector<std::string> names;  ///< of the columns, from the header; empty where the file has none
  Tensor values;                   ///< (N, C) f64
};

/// Reads a file whose every line holds the same number of numbers. The first line is a header unless all its cells are numbers. Cells may be quoted
/// and have blanks around them; lines may end in CR LF; a byte order mark and empty lines at the end are passed over. Numbers are written with a
/// point, in any locale. Throws IoError `[file:line] ...` for a line with too few or too many cells (a torn one), an empty line between others, a
/// cell that is empty or no finite number (with its column), an open quote, and for a file without rows; ConfigError for a separator that numbers or
/// names may hold.
CsvTable read_csv(const std::string& path, const CsvOptions& options = {});

/// The same from a text; `where` names it in errors.
CsvTable parse_csv(std::string_view text, std::string_view where, const CsvOptions& options = {});

}  // namespace weft::data
