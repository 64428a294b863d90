#include "data/table/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/storage.h"

namespace weft::data {
namespace {

constexpr std::int64_t kLargestCsv = std::int64_t{1} << 32;
constexpr std::size_t kMostColumns = 65536;

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// A cell as it is shown in a message: short, and on one line.
std::string shown(std::string_view cell) {
  std::string text(cell.substr(0, 40));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = '?';
  return cell.size() > 40 ? text + "..." : text;
}

std::optional<double> number(std::string_view cell) {
  if (cell.starts_with('+')) cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The lines of a text one after another, with their numbers.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    while (!rest_.empty() && std::strchr("\r\n \t", rest_.back()) != nullptr) rest_.remove_suffix(1);
  }

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const auto end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return true;
  }

  std::int64_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::int64_t number_ = 0;
};

/// The cells of a line, without quotes. A separator within quotes separates nothing; a quote within quotes is written twice (and stays so: numbers have none).
void split_cells(std::string_view line, char separator, const std::string& where, std::vector<std::string_view>& cells) {
  cells.clear();
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') quoted = !quoted;
    if (i < line.size() && (quoted || line[i] != separator)) continue;
    if (quoted) fail<IoError>(where, "a quote is opened and not closed");
    auto cell = without_blanks(line.substr(begin, i - begin));
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = cell.substr(1, cell.size() - 2);
    cells.push_back(cell);
    begin = i + 1;
    if (cells.size() > kMostColumns) fail<IoError>(where, "more than {} columns", kMostColumns);
  }
}

char likely_separator(std::string_view line) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char separator : {';', '\t', ','}) {
    const auto count = std::count(line.begin(), line.end(), separator);
    if (count > most) {
      best = separator;
      most = count;
    }
  }
  return best;
}

}  // namespace

CsvTable parse_csv(std::string_view text, std::string_view where, const CsvOptions& options) {
  if (std::isalnum(static_cast<unsigned char>(options.separator)) || (options.separator != '\0' && std::strchr("+-.\"\r\n", options.separator) != nullptr))
    fail<ConfigError>("csv", "the separator cannot be `{}`: numbers and lines are made of it", options.separator);
  const auto at = [&](std::int64_t line) { return fmt::format("{}:{}", where, line); };
  Lines lines(text);
  std::string_view line;
  if (!lines.next(line)) fail<IoError>(where, "is empty: a table has a line for each row");

  CsvTable table;
  std::vector<std::string_view> cells;
  std::vector<double> values;
  const char separator = options.separator != '\0' ? options.separator : likely_separator(line);
  split_cells(line, separator, at(1), cells);
  const std::size_t columns = cells.size();
  bool more = true;
  if (!std::all_of(cells.begin(), cells.end(), [](std::string_view cell) { return number(cell).has_value(); })) {
    for (const auto cell : cells) table.names.emplace_back(cell);
    more = lines.next(line);
  }
  std::int64_t rows = 0;
  for (; more; more = lines.next(line), ++rows) {
    if (without_blanks(line).empty()) fail<IoError>(at(lines.number()), "is empty, but lines follow");
    split_cells(line, separator, at(lines.number()), cells);
    if (cells.size() != columns) {
      fail<IoError>(at(lines.number()), "{} columns, where the first line has {} (separated by `{}`)", cells.size(), columns,
                    separator == '\t' ? std::string("tab") : std::string(1, separator));
    }
    for (std::size_t c = 0; c < columns; ++c) {
      const auto value = number(cells[c]);
      if (!value) {
        const auto column = table.names.empty() ? fmt::format("column {}", c + 1) : fmt::format("column {} (`{}`)", c + 1, shown(table.names[c]));
        if (cells[c].empty()) fail<IoError>(at(lines.number()), "{} is empty; every cell must be a number", column);
        fail<IoError>(at(lines.number()), "{}: `{}` is no finite number", column, shown(cells[c]));
      }
      values.push_back(*value);
    }
  }
  if (rows == 0) fail<IoError>(where, "has a header and no rows");
  table.values = Tensor::from(values, {rows, static_cast<std::int64_t>(columns)});
  return table;
}

CsvTable read_csv(const std::string& path, const CsvOptions& options) { return parse_csv(read_file(path, std::min(kLargestCsv, memory_limit())), path, options); }

}  // namespace weft::data
