// Files of separated fields, one record after another: the one reader of tables, ratings, lists of
// boxes, labeled texts and pairs of texts.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::data {

struct DelimitedFormat {
  char separator = '\0';  ///< zero: the one of `;`, tab and `,` that the first line holds most of
  /// RFC 4180: a field may stand in quotes, and then hold separators, line ends and, written twice,
  /// quotes. Without, a quote is a character like any other.
  bool quotes = true;
  bool utf8 = true;  ///< the text must be UTF-8; never may it hold a zero byte
  bool trim = true;  ///< blanks around a field are none of it, unless they are in quotes
  bool empty_lines =
      true;  ///< empty lines between records are passed over; those at the end always
  std::size_t most_columns = 0;         ///< the last one takes the rest of its line; 0: no limit
  std::size_t longest_field = 1 << 16;  ///< bytes; more is an error: most often a quote left open
};

/// Reads a text that outlives it. A byte order mark is passed over; lines end in LF or CR LF.
/// Everything wrong is an IoError `[FILE:LINE] ...`.
class DelimitedReader {
 public:
  /// Throws IoError for a zero byte and text that is not UTF-8.
  DelimitedReader(std::string_view text, std::string where, const DelimitedFormat& format);

  /// Goes to the next record; false at the end. Throws IoError for a quote that is not closed, text
  /// behind a closing quote, a field that is too long, too many columns, and an unwanted empty
  /// line.
  bool next();
  /// Of the record; they hold until the next one.
  const std::vector<std::string_view>& fields() const { return fields_; }
  /// Whether a field stood in quotes.
  bool quoted(std::size_t field) const { return quoted_[field]; }
  std::int64_t line() const { return line_; }  ///< where the record begins, from 1
  std::string place() const;                   ///< FILE:LINE of the record
  std::string separator() const;               ///< as messages call it
  /// Throws IoError unless the record has so many fields.
  void check_columns(std::size_t columns) const;

 private:
  bool at_end_of_field(std::size_t at) const;
  bool is_blank(char c) const { return c == ' ' || c == '\r' || (c == '\t' && separator_ != '\t'); }
  void read_quoted(std::size_t open);
  void read_plain();
  void add(std::string_view field, bool quoted);
  bool skip_empty_lines();
  std::string place(std::int64_t line) const;

  std::string_view text_;
  std::string where_;
  DelimitedFormat format_;
  char separator_;
  std::size_t at_ = 0;          // of the next character
  std::int64_t next_line_ = 1;  // that it stands in
  std::int64_t line_ = 0;
  std::vector<std::string_view> fields_;
  std::vector<bool> quoted_;
  std::deque<std::string> unescaped_;  // fields with doubled quotes; reused
  std::size_t used_ = 0;
};

/// A column that a reader knows: its name, what else it may be called, and whether it must be
/// there. Capitals, blanks, `_` and `-` make no difference: `userId`, `user_id` and `User ID` are
/// one.
struct Column {
  std::string_view name;
  std::vector<std::string_view> other_names;
  bool required = true;
};

/// Where the known columns of a file stand.
struct ColumnPlaces {
  static constexpr std::size_t kAbsent = ~std::size_t{0};
  std::vector<std::size_t> places;    ///< by known column
  std::vector<std::string> left_out;  ///< the other columns' names
  std::size_t columns = 0;
  bool header = false;
};

/// Reads the record as a header if it is one: none of its fields is a number, and at least `enough`
/// are names of known columns. Throws IoError for a required column that is missing, and one that
/// is there twice. Without a header the known columns stand in their order.
ColumnPlaces find_columns(const DelimitedReader& record, const std::vector<Column>& known,
                          std::size_t enough);

/// What a note says of columns that are not used; empty where there are none.
std::string left_out_note(const std::string& where, const ColumnPlaces& places,
                          const std::vector<Column>& known);

/// The finite number that a field is, written with a point in any locale; nothing else is one.
std::optional<double> field_number(std::string_view field);
/// A field as it is shown in a message: short, and on one line.
std::string shown_field(std::string_view field);

}  // namespace weft::data
