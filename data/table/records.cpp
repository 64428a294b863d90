#include "data/table/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "core/io/file.h"
#include "core/storage.h"
#include "data/table/delimited.h"

namespace weft::data {
namespace {

constexpr std::int64_t kLargestFile = std::int64_t{1} << 36;

bool says_nothing(std::string_view cell) {
  if (cell.empty() || cell == "?") return true;
  constexpr std::array<std::string_view, 5> kWords{"na", "n/a", "nan", "null", "none"};
  if (cell.size() > 4) return false;
  std::string lower(cell);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool looks_like_header(const DelimitedReader& record) {
  std::set<std::string_view> seen;
  for (std::size_t c = 0; c < record.fields().size(); ++c) {
    const std::string_view field = record.fields()[c];
    const bool number = field_number(field).has_value() && !record.quoted(c);
    if (number || says_nothing(field) || !seen.insert(field).second) return false;
  }
  return true;
}

}  // namespace

Records Records::parse(std::string_view text, std::string where, const RecordsOptions& options) {
  Records table;
  table.source_ = where;
  DelimitedReader reader(text, std::move(where), {});
  if (!reader.next()) fail<IoError>(table.source_, "is empty: a table has a line for each row");
  table.named_ = options.header == HeaderRule::yes ||
                 (options.header == HeaderRule::automatic && looks_like_header(reader));
  const std::size_t columns = reader.fields().size();
  bool more = true;
  if (table.named_) {
    std::set<std::string_view> seen;
    for (const std::string_view field : reader.fields()) {
      if (field.empty())
        fail<IoError>(reader.place(), "column {} has no name", table.names_.size() + 1);
      if (!seen.insert(field).second)
        fail<IoError>(reader.place(), "two columns are called `{}`: rename one",
                      shown_field(field));
      table.names_.emplace_back(field);
    }
    more = reader.next();
  } else {
    for (std::size_t c = 1; c <= columns; ++c) table.names_.push_back(fmt::format("column_{}", c));
  }
  for (; more; more = reader.next()) {
    if (reader.fields().size() != columns) {
      if (!options.skip_bad) {
        try {
          reader.check_columns(columns);
        } catch (const IoError& error) {
          throw IoError(std::string(error.what()) + "; --skip-bad leaves such lines out");
        }
      }
      ++table.skipped_;
      continue;
    }
    for (const std::string_view field : reader.fields()) {
      if (!says_nothing(field)) table.text_.append(field);
      table.ends_.push_back(table.text_.size());
    }
    table.lines_.push_back(reader.line());
  }
  if (table.rows() == 0)
    fail<IoError>(table.source_, "has no rows{}",
                  table.skipped_ > 0 ? fmt::format(" of {} fields: {} lines were left out", columns,
                                                   table.skipped_)
                                     : std::string(" below its header"));
  return table;
}

Records Records::read(const std::string& path, const RecordsOptions& options) {
  return parse(read_file(path, std::min(kLargestFile, memory_limit())), path, options);
}

std::string_view Records::cell(std::int64_t row, std::size_t column) const {
  const std::size_t at = static_cast<std::size_t>(row) * columns() + column;
  const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
  return std::string_view(text_).substr(begin, ends_[at] - begin);
}

std::string Records::place(std::int64_t row) const {
  return fmt::format("{}:{}", source_, lines_[static_cast<std::size_t>(row)]);
}

std::size_t Records::find(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? npos : static_cast<std::size_t>(found - names_.begin());
}

std::vector<std::string> names_in_list(const std::string& list, const std::string& choice) {
  std::vector<std::string> names;
  if (list.empty()) return names;
  try {
    DelimitedReader reader(list, choice, {.separator = ','});
    if (reader.next())
      for (const std::string_view field : reader.fields()) names.emplace_back(field);
  } catch (const IoError&) {
    fail<ConfigError>("config", "{} must be names of columns, separated by commas; got {}", choice,
                      list);
  }
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty()) fail<ConfigError>("config", "{} holds an empty name: {}", choice, list);
    if (!seen.insert(name).second) fail<ConfigError>("config", "{} names {} twice", choice, name);
  }
  return names;
}

}  // namespace weft::data
