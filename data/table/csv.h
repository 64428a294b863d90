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
  std::vector<std::string>
      names;                     ///< of the columns, from the header; empty where the file has none
  Tensor values;                 ///< (N, C) f64
  std::vector<double> rounding;  ///< by column: by how much a number of it may differ from what was
                                 ///< written, as a 64-bit float holds about 16 digits; else 0

  /// "column 3 (`sugar`)", for messages.
  std::string column_name(std::size_t column) const;
};

/// Reads a file whose every line holds the same number of numbers (data/table/delimited.h says what
/// a file may look like). The first line is a header if none of its fields is a number, or only
/// such as stand in quotes. Numbers are written with a point, in any locale. Throws IoError
/// `[file:line]
/// ...` for a line with too few or too many fields (a torn one), an empty line between others, a
/// field that is empty or not a finite number (with its column), a first line of numbers and names,
/// and for a file without rows; ConfigError for a separator that numbers or names may hold.
CsvTable read_csv(const std::string& path, const CsvOptions& options = {});

/// The same from a text; `where` names it in errors.
CsvTable parse_csv(std::string_view text, std::string_view where, const CsvOptions& options = {});

}  // namespace weft::data
