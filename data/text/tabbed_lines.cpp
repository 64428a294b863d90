#include "data/text/tabbed_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/table/delimited.h"

namespace weft::data {
namespace {

constexpr std::size_t kLongestText = std::size_t{1} << 24;

/// Where the two columns stand, and how many there are.
struct Layout {
  std::size_t left = 0, right = 1, columns = 2;
  bool header = false;
};

/// Columns at the end that are empty in this record count for nothing.
std::size_t filled_columns(const DelimitedReader& record) {
  std::size_t count = record.fields().size();
  while (count > 0 && record.fields()[count - 1].empty()) --count;
  return count;
}

/// What is said of columns beyond the second where no header names them.
std::string extra_columns_note(const DelimitedReader& first, const std::string& where,
                               const TextColumns& names, std::size_t columns) {
  constexpr std::size_t kMostShown = 50;
  std::string others;
  for (std::size_t c = 2; c < std::min(columns, kMostShown); ++c)
    others += fmt::format("{}{} (`{}`)", others.empty() ? "" : ", ", c + 1,
                          shown_field(first.fields()[c]));
  if (columns > kMostShown) others += fmt::format(", ... {}", columns);
  return fmt::format(
      "{}: {} columns and no header: the first is the {}, the second the {}; left out: column {}",
      where, columns, names.left, names.right, others);
}

/// Ids instead of texts: what the first column of a file with more than two often is.
void check_not_ids(const TextTable& table, const std::string& where, const TextColumns& names,
                   std::size_t columns) {
  const auto numbers = [&](std::string TabbedLine::*side) {
    return std::all_of(table.lines.begin(), table.lines.end(), [&](const TabbedLine& line) {
      return field_number(line.*side).has_value();
    });
  };
  for (const bool left : {true, false}) {
    if (!numbers(left ? &TabbedLine::left : &TabbedLine::right)) continue;
    fail<IoError>(where,
                  "{} columns, of which number {} holds only numbers: name them in a first line, "
                  "such as {}<TAB>{}; columns of other names are left out",
                  columns, left ? 1 : 2, names.left, names.right);
  }
}

}  // namespace

TextTable read_text_columns(std::string_view text, const std::string& where,
                            const TextColumns& names, const TextReading& reading) {
  const bool csv = reading.csv && !reading.old_rules;
  DelimitedReader reader(text, where,
                         {.separator = csv ? '\0' : '\t',
                          .quotes = csv,
                          .most_columns = reading.old_rules ? std::size_t{2} : 0,
                          .longest_field = kLongestText});
  const std::vector<Column> known = {{names.left, names.left_names},
                                     {names.right, names.right_names}};
  const std::string between = csv ? "`" + reader.separator() + "`" : "a tab";
  TextTable table;
  Layout layout;
  for (bool first = true; reader.next(); first = false) {
    const auto& fields = reader.fields();
    if (first && !reading.old_rules) {
      const ColumnPlaces places = find_columns(reader, known, 2);
      layout = {places.places[0], places.places[1],
                std::max<std::size_t>(2, places.header ? fields.size() : filled_columns(reader)),
                places.header};
      table.header = places.header;
      if (auto note = left_out_note(where, places, known); !note.empty())
        table.notes.push_back(std::move(note));
      if (places.header) continue;
      if (layout.columns > 2)
        table.notes.push_back(extra_columns_note(reader, where, names, layout.columns));
    }
    if (fields.size() < 2)
      fail<IoError>(reader.place(), "no {}: a line is a {}, {} and a {}", csv ? between : "tab",
                    names.left, between, names.right);
    const bool too_few = fields.size() < std::max(layout.left, layout.right) + 1 ||
                         (layout.columns > 2 && fields.size() < layout.columns);
    if (too_few || filled_columns(reader) > layout.columns)
      fail<IoError>(
          reader.place(),
          "{} columns, where the first line has {} ({} separates them, and can be in no text)",
          fields.size(), layout.columns, between);
    if (fields[layout.left].empty())
      fail<IoError>(reader.place(), "no {}{}", names.left,
                    layout.header || csv ? "" : " before the tab");
    if (fields[layout.right].empty())
      fail<IoError>(reader.place(), "no {}{}", names.right,
                    layout.header || csv ? "" : " after the tab");
    table.lines.push_back(
        {std::string(fields[layout.left]), std::string(fields[layout.right]), reader.line()});
  }
  if (table.lines.empty())
    fail<IoError>(where, "holds no examples: expects lines of a {}, {} and a {}", names.left,
                  between, names.right);
  if (layout.columns > 2 && !layout.header) check_not_ids(table, where, names, layout.columns);
  const auto quoted = [](const std::string& one) {
    return one.size() > 1 && one.front() == '"' && one.back() == '"';
  };
  if (!csv && std::all_of(table.lines.begin(), table.lines.end(), [&](const TabbedLine& line) {
        return quoted(line.left) || quoted(line.right);
      }))
    table.notes.push_back(
        fmt::format("{}: every line has a text in quotes; between tabs quotes are part of the text "
                    "(in a .csv file they are not)",
                    where));
  return table;
}

bool is_csv(std::string_view path) { return path.ends_with(".csv"); }

}  // namespace weft::data
