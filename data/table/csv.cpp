#include "data/table/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/io/file.h"
#include "core/storage.h"
#include "data/table/delimited.h"

namespace weft::data {
namespace {

constexpr std::int64_t kLargestCsv = std::int64_t{1} << 32;
constexpr std::int64_t kSureDigits = 15;  // decimal digits that every 64-bit float keeps

/// Half the distance to the next 64-bit float, where a number has more digits than surely fit.
double rounding_of(std::string_view field, double value) {
  const auto exponent = std::min(field.find_first_of("eE"), field.size());
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto digits =
      std::count_if(field.begin(), field.begin() + static_cast<std::ptrdiff_t>(exponent), is_digit);
  return digits > kSureDigits ? std::ldexp(std::abs(value), -53) : 0;
}

/// Whether the first line names the columns.
bool is_header(const DelimitedReader& record) {
  std::size_t numbers = 0;
  std::size_t other = ColumnPlaces::kAbsent;
  const auto& fields = record.fields();
  for (std::size_t c = 0; c < fields.size(); ++c) {
    if (field_number(fields[c]))
      numbers += record.quoted(c) ? 0 : 1;
    else if (other == ColumnPlaces::kAbsent)
      other = c;
  }
  if (numbers == fields.size() || other == ColumnPlaces::kAbsent) return false;
  if (numbers > 0) {
    fail<IoError>(record.place(),
                  "is neither a row of numbers, as column {} is `{}`, nor a header, "
                  "as {} of its {} fields are numbers; names that look like numbers go in quotes",
                  other + 1, shown_field(fields[other]), numbers, fields.size());
  }
  return true;
}

}  // namespace

std::string CsvTable::column_name(std::size_t column) const {
  if (names.empty()) return fmt::format("column {}", column + 1);
  return fmt::format("column {} (`{}`)", column + 1, shown_field(names[column]));
}

CsvTable parse_csv(std::string_view text, std::string_view where, const CsvOptions& options) {
  const char wanted = options.separator;
  const bool of_numbers = std::isalnum(static_cast<unsigned char>(wanted)) != 0 ||
                          (wanted != '\0' && std::strchr("+-.\"\r\n", wanted) != nullptr);
  if (of_numbers)
    fail<ConfigError>("csv", "the separator cannot be `{}`: numbers and lines are made of it",
                      wanted);
  DelimitedReader reader(text, std::string(where), {.separator = wanted, .empty_lines = false});
  if (!reader.next()) fail<IoError>(where, "is empty: a table has a line for each row");

  CsvTable table;
  std::vector<double> values;
  const std::size_t columns = reader.fields().size();
  table.rounding.assign(columns, 0);
  bool more = true;
  if (is_header(reader)) {
    for (const auto field : reader.fields()) table.names.emplace_back(field);
    more = reader.next();
  }
  std::int64_t rows = 0;
  for (; more; more = reader.next(), ++rows) {
    reader.check_columns(columns);
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string_view field = reader.fields()[c];
      const auto value = field_number(field);
      if (!value && field.empty())
        fail<IoError>(reader.place(), "{} is empty; every field must be a number",
                      table.column_name(c));
      if (!value)
        fail<IoError>(reader.place(), "{}: `{}` is not a finite number", table.column_name(c),
                      shown_field(field));
      values.push_back(*value);
      table.rounding[c] = std::max(table.rounding[c], rounding_of(field, *value));
    }
  }
  if (rows == 0) fail<IoError>(where, "has a header and no rows");
  table.values = Tensor::from(values, {rows, static_cast<std::int64_t>(columns)});
  return table;
}

CsvTable read_csv(const std::string& path, const CsvOptions& options) {
  return parse_csv(read_file(path, std::min(kLargestCsv, memory_limit())), path, options);
}

}  // namespace weft::data
