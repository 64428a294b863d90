// A table of any columns as it lies in a file: their names, and every cell as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::data {

enum class HeaderRule : std::uint8_t {
  automatic,  ///< a first line without numbers, without empty fields and without a name twice
  yes,
  no,
};

struct RecordsOptions {
  HeaderRule header = HeaderRule::automatic;
  bool skip_bad = false;  ///< lines with too few or too many fields are left out and counted
};

/// Names and cells. A cell that says that there is nothing is empty.
class Records {
 public:
  /// Reads a file of separated values (data/table/delimited.h says what it may look like). Without
  /// a header the columns are called column_1, column_2, ... Throws IoError `[FILE:LINE] ...` for a
  /// ragged line and whatever else cannot be read, a name that is there twice, and a file without
  /// rows.
  static Records read(const std::string& path, const RecordsOptions& options = {});
  /// The same from a text; `where` names it in errors.
  static Records parse(std::string_view text, std::string where,
                       const RecordsOptions& options = {});

  const std::string& source() const { return source_; }
  const std::vector<std::string>& names() const { return names_; }
  bool named() const { return named_; }  ///< by a header
  std::int64_t rows() const { return std::ssize(lines_); }
  std::size_t columns() const { return names_.size(); }
  std::int64_t skipped() const { return skipped_; }  ///< bad lines that were left out
  /// Empty where the cell holds nothing, or `?`, `NA`, `N/A`, `NaN`, `null` or `None`, in any case.
  std::string_view cell(std::int64_t row, std::size_t column) const;
  /// FILE:LINE of a row.
  std::string place(std::int64_t row) const;
  /// The column of this name; npos where there is none.
  std::size_t find(std::string_view name) const;
  static constexpr std::size_t npos = ~std::size_t{0};

 private:
  std::string source_;
  std::vector<std::string> names_;
  bool named_ = false;
  std::string text_;                 // of all cells, one after another
  std::vector<std::size_t> ends_;    // in it, cell by cell
  std::vector<std::int64_t> lines_;  // of the rows
  std::int64_t skipped_ = 0;
};

/// The names in a list that a user typed, `age, "hours, a week"`: separated by commas, quoted as in
/// CSV. Throws ConfigError naming `choice` for a list that cannot be read.
std::vector<std::string> names_in_list(const std::string& list, const std::string& choice);

}  // namespace weft::data
