// Files of texts in columns: lines with tabs between them, or CSV.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::data {

struct TabbedLine {
  std::string left;  ///< without blanks around it, as `right`
  std::string right;
  std::int64_t line = 0;  ///< its number in the file, from 1
};

/// What the two columns are, in messages and in a header.
struct TextColumns {
  std::string_view left;                     ///< "label"
  std::string_view right;                    ///< "text"
  std::vector<std::string_view> left_names;  ///< other names that a header may have for it
  std::vector<std::string_view> right_names;
};

/// How a file of texts is read.
struct TextReading {
  /// Fields as in RFC 4180, separated by what the first line holds most of. Otherwise tabs
  /// separate, and quotes are part of a text: files of tabs rarely quote, and texts are full of
  /// quotes.
  bool csv = false;
  bool old_rules = false;  ///< as runs before config format 3 read it: two columns, of which the
                           ///< second is the rest of the line, and no header
};

struct TextTable {
  std::vector<TabbedLine> lines;
  std::vector<std::string> notes;  ///< columns that were left out
  bool header = false;             ///< the columns are known by their names
};

/// Empty lines count for nothing. A first line with names for both columns is a header: it says
/// where they stand, and columns of other names are left out, with a note. Without a header the
/// first two columns are read, and others are left out with a note, unless one of the two holds
/// only numbers (ids). Throws IoError `[where:LINE] ...` for a line with more or fewer columns than
/// the first (further ones that are empty count for nothing), without a tab, with nothing in one of
/// the two columns, and for what data/table/delimited.h refuses; `[where] ...` where there is no
/// line at all.
TextTable read_text_columns(std::string_view text, const std::string& where,
                            const TextColumns& columns, const TextReading& reading = {});

/// Whether a file's name says that it is CSV: `.csv`.
bool is_csv(std::string_view path);

}  // namespace weft::data
