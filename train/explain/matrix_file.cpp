#include "train/explain/matrix_file.h"

#include <charconv>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "data/text/utf8.h"

namespace weft::explain {
namespace {

constexpr std::int64_t kMostMatrixBytes = 1 << 20;
constexpr double kLargestNumber = 1e6;  // its square, summed, is far from overflowing

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }
bool is_comma(char c) { return c == ',' || c == ';'; }

/// A word as it may be shown: short, and printable ASCII.
std::string shown_word(std::string_view word) {
  std::string text;
  for (const char c : word.substr(0, 24)) text += c > ' ' && c < '\x7f' ? c : '?';
  return word.size() > 24 ? text + "..." : text;
}

double parse_number(std::string_view word, const std::string& path, int line) {
  double value = 0;
  const std::string_view digits = word.starts_with('+') ? word.substr(1) : word;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range)
    fail<IoError>(path, "line {}: {} is too large or too small a number", line, shown_word(word));
  if (error != std::errc() || end != digits.data() + digits.size())
    fail<IoError>(path, "line {}: '{}' is not a number", line, shown_word(word));
  if (!std::isfinite(value))
    fail<IoError>(path, "line {}: numbers must be finite, got {}", line, shown_word(word));
  if (std::abs(value) > kLargestNumber)
    fail<IoError>(path, "line {}: numbers must lie between -1e6 and 1e6, got {}", line,
                  shown_word(word));
  return value;
}

/// The numbers of one line. Between two commas there must be one; white space alone separates, too.
std::vector<double> numbers_of_line(std::string_view text, const std::string& path, int line,
                                    std::int64_t most) {
  std::vector<double> row;
  bool want_number = false;  // a comma came before
  for (std::size_t i = 0; i < text.size();) {
    if (is_blank(text[i])) {
      ++i;
    } else if (is_comma(text[i])) {
      if (want_number || row.empty())
        fail<IoError>(path, "line {}: a number is missing before a '{}'", line, text[i]);
      want_number = true;
      ++i;
    } else {
      std::size_t end = i;
      while (end < text.size() && !is_blank(text[end]) && !is_comma(text[end])) ++end;
      row.push_back(parse_number(text.substr(i, end - i), path, line));
      if (static_cast<std::int64_t>(row.size()) > most)
        fail<IoError>(path, "line {}: at most {} numbers per line", line, most);
      want_number = false;
      i = end;
      while (i < text.size() && is_blank(text[i])) ++i;
      if (i < text.size() && is_comma(text[i])) {
        want_number = true;
        ++i;
      }
    }
  }
  if (want_number) fail<IoError>(path, "line {}: a number is missing after the last comma", line);
  return row;
}

}  // namespace

Tensor read_matrix(const std::string& path, std::int64_t most_rows, std::int64_t most_columns) {
  const std::string bytes = read_file(path, kMostMatrixBytes);
  const std::string_view text = data::skip_bom(bytes);
  std::vector<double> values;
  std::int64_t rows = 0, columns = 0;
  int line = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view one = text.substr(begin, end - begin);
    begin = end + 1;
    ++line;
    const std::size_t first = one.find_first_not_of(" \t\r\f\v");
    if (first == std::string_view::npos || one[first] == '#') continue;
    const std::vector<double> row = numbers_of_line(one, path, line, most_columns);
    if (++rows > most_rows) fail<IoError>(path, "line {}: at most {} rows", line, most_rows);
    if (rows == 1) columns = static_cast<std::int64_t>(row.size());
    if (static_cast<std::int64_t>(row.size()) != columns)
      fail<IoError>(path, "line {}: every row must have as many numbers as the first: {}, got {}",
                    line, columns, row.size());
    values.insert(values.end(), row.begin(), row.end());
  }
  if (rows == 0) fail<IoError>(path, "holds no numbers; write a row of them for each token");
  return Tensor::from(values, {rows, columns});
}

}  // namespace weft::explain
