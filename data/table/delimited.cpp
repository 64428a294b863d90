#include "data/table/delimited.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "data/text/encoding.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

constexpr std::size_t kMostColumns = 65536;

/// The separator that the first line holds most of, outside quotes.
char likely_separator(std::string_view text) {
  constexpr std::string_view kKnown = ";\t,";
  std::int64_t counts[kKnown.size()] = {0, 0, 0};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == '\n' && !quoted) break;
    if (const auto k = kKnown.find(c); k != std::string_view::npos && !quoted) ++counts[k];
  }
  const auto most = std::max_element(std::begin(counts), std::end(counts));
  return *most == 0 ? ',' : kKnown[static_cast<std::size_t>(most - std::begin(counts))];
}

std::string as_compared(std::string_view name) {
  std::string text;
  for (const char c : name)
    if (c != ' ' && c != '_' && c != '-')
      text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::size_t known_column(std::string_view name, const std::vector<Column>& known) {
  const std::string wanted = as_compared(name);
  for (std::size_t k = 0; k < known.size(); ++k) {
    const auto& others = known[k].other_names;
    const auto is = [&](std::string_view other) { return as_compared(other) == wanted; };
    if (is(known[k].name) || std::any_of(others.begin(), others.end(), is)) return k;
  }
  return ColumnPlaces::kAbsent;
}

/// Names with `between` between them: the first ones of very many.
template <class Names>
std::string listed(const Names& names, std::string_view between) {
  constexpr std::size_t kMostListed = 50;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostListed); ++i) {
    if (i > 0) text += between;
    text += shown_field(names[i]);
  }
  if (names.size() > kMostListed) text += fmt::format("{}... ({} in all)", between, names.size());
  return text;
}

}  // namespace

DelimitedReader::DelimitedReader(std::string_view text, std::string where,
                                 const DelimitedFormat& format)
    : text_(skip_bom(text)),
      where_(std::move(where)),
      format_(format),
      separator_(format.separator) {
  check_text_file(text, where_, format.utf8);
  const auto first_return = text_.find('\r');
  if (first_return != std::string_view::npos && first_return + 1 < text_.size() &&
      text_.find('\n') == std::string_view::npos) {
    fail<IoError>(place(1),
                  "its lines end with a carriage return alone, which is read as part of "
                  "a line; convert them, for example with tr '\\r' '\\n'");
  }
  if (separator_ == '\0') separator_ = likely_separator(text_);
}

std::string DelimitedReader::place(std::int64_t line) const {
  return fmt::format("{}:{}", where_, line);
}

std::string DelimitedReader::place() const { return place(line_); }

std::string DelimitedReader::separator() const {
  return separator_ == '\t' ? "tab" : std::string(1, separator_);
}

void DelimitedReader::check_columns(std::size_t columns) const {
  if (fields_.size() == columns) return;
  fail<IoError>(place(), "{} columns, where the first line has {} (separated by `{}`)",
                fields_.size(), columns, separator());
}

bool DelimitedReader::at_end_of_field(std::size_t at) const {
  if (at >= text_.size() || text_[at] == '\n') return true;
  if (text_[at] == '\r' && at + 1 < text_.size() && text_[at + 1] == '\n') return true;
  const bool may_split = format_.most_columns == 0 || fields_.size() + 1 < format_.most_columns;
  return text_[at] == separator_ && may_split;
}

void DelimitedReader::add(std::string_view field, bool quoted) {
  if (field.size() > format_.longest_field) {
    fail<IoError>(place(),
                  "field {} has {} bytes, more than {}: is a quote left open, or the "
                  "separator another than `{}`?",
                  fields_.size() + 1, field.size(), format_.longest_field, separator());
  }
  if (fields_.size() == kMostColumns) fail<IoError>(place(), "more than {} columns", kMostColumns);
  fields_.push_back(field);
  quoted_.push_back(quoted);
}

void DelimitedReader::read_quoted(std::size_t open) {
  std::string* unescaped = nullptr;
  std::size_t from = open + 1;
  std::size_t close = 0;
  while (true) {
    close = text_.find('"', from);
    if (close == std::string_view::npos)
      fail<IoError>(place(next_line_), "a quote is opened and not closed");
    if (close + 1 >= text_.size() || text_[close + 1] != '"') break;
    if (unescaped == nullptr) {
      if (used_ == unescaped_.size()) unescaped_.emplace_back();
      unescaped = &unescaped_[used_++];
      unescaped->clear();
    }
    unescaped->append(text_.substr(from, close + 1 - from));  // one of the two quotes with it
    from = close + 2;
  }
  if (unescaped != nullptr) unescaped->append(text_.substr(from, close - from));
  const std::string_view inside = text_.substr(open + 1, close - open - 1);
  add(unescaped != nullptr ? std::string_view(*unescaped) : inside, true);
  next_line_ += std::count(inside.begin(), inside.end(), '\n');
  at_ = close + 1;
  const std::size_t behind = at_;
  while (!at_end_of_field(at_) && is_blank(text_[at_])) ++at_;
  if (!at_end_of_field(at_)) {
    const auto end = std::min(text_.find('\n', behind), text_.size());
    fail<IoError>(place(next_line_),
                  "`{}` follows a closing quote: a quote within quotes is written twice",
                  shown_field(text_.substr(behind, end - behind)));
  }
}

void DelimitedReader::read_plain() {
  const std::size_t begin = at_;
  while (!at_end_of_field(at_)) ++at_;
  std::string_view field = text_.substr(begin, at_ - begin);
  const bool last_of_line = format_.most_columns > 0;  // the rest of a line may hold tabs around it
  const auto blank = [&](char c) { return is_blank(c) || (last_of_line && c == '\t'); };
  while (format_.trim && !field.empty() && blank(field.front())) field.remove_prefix(1);
  while (format_.trim && !field.empty() && blank(field.back())) field.remove_suffix(1);
  add(field, false);
}

/// Goes to the first character of the next line that is not empty; false at the end.
bool DelimitedReader::skip_empty_lines() {
  std::int64_t first_empty = 0;
  while (at_ < text_.size()) {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != '\n' && is_blank(text_[end])) ++end;
    if (end < text_.size() && text_[end] != '\n') {
      if (first_empty > 0 && !format_.empty_lines)
        fail<IoError>(place(first_empty), "is empty, but lines follow");
      return true;
    }
    if (first_empty == 0) first_empty = next_line_;
    at_ = std::min(end + 1, text_.size());
    ++next_line_;
  }
  return false;
}

bool DelimitedReader::next() {
  if (!skip_empty_lines()) return false;
  line_ = next_line_;
  fields_.clear();
  quoted_.clear();
  used_ = 0;
  while (true) {
    std::size_t first = at_;
    while (format_.quotes && !at_end_of_field(first) && is_blank(text_[first])) ++first;
    const bool in_quotes = format_.quotes && first < text_.size() && text_[first] == '"';
    in_quotes ? read_quoted(first) : read_plain();
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ >= text_.size()) return true;
    if (text_[at_++] == '\n') {
      ++next_line_;
      return true;
    }
  }
}

ColumnPlaces find_columns(const DelimitedReader& record, const std::vector<Column>& known,
                          std::size_t enough) {
  ColumnPlaces found;
  const auto& fields = record.fields();
  found.columns = fields.size();
  found.places.assign(known.size(), ColumnPlaces::kAbsent);
  std::size_t names = 0;
  bool numbers = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    names += known_column(fields[i], known) != ColumnPlaces::kAbsent ? 1 : 0;
    numbers = numbers || field_number(fields[i]).has_value();
  }
  if (numbers || names < enough) {
    for (std::size_t k = 0; k < std::min(known.size(), fields.size()); ++k) found.places[k] = k;
    return found;
  }
  found.header = true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t k = known_column(fields[i], known);
    if (k == ColumnPlaces::kAbsent) {
      found.left_out.emplace_back(shown_field(fields[i]));
      continue;
    }
    if (found.places[k] != ColumnPlaces::kAbsent) {
      fail<IoError>(record.place(), "two columns for the {}: `{}` and `{}`; rename one",
                    known[k].name, shown_field(fields[found.places[k]]), shown_field(fields[i]));
    }
    found.places[k] = i;
  }
  for (std::size_t k = 0; k < known.size(); ++k) {
    if (!known[k].required || found.places[k] != ColumnPlaces::kAbsent) continue;
    fail<IoError>(record.place(), "no column for the {} (known as {}{}{}): the header has {}",
                  known[k].name, known[k].name, known[k].other_names.empty() ? "" : ", ",
                  fmt::join(known[k].other_names, ", "), listed(fields, ", "));
  }
  return found;
}

std::string left_out_note(const std::string& where, const ColumnPlaces& places,
                          const std::vector<Column>& known) {
  if (places.left_out.empty()) return "";
  std::vector<std::string_view> names;
  for (const Column& column : known) names.push_back(column.name);
  return fmt::format("{}: left out {} `{}`; what is read is {}", where,
                     places.left_out.size() == 1 ? "the column" : "the columns",
                     listed(places.left_out, "`, `"), fmt::join(names, ", "));
}

std::optional<double> field_number(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  const bool whole = error == std::errc() && end == field.data() + field.size();
  if (!whole || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string shown_field(std::string_view field) {
  std::string text;
  for (std::size_t at = 0; at < field.size() && text.size() < 40;) {
    const auto step = next_utf8(field.substr(at, 4));
    const bool shown = step.kind == Utf8Step::Kind::character && step.code_point >= U' ';
    text += shown ? field.substr(at, static_cast<std::size_t>(step.length)) : "?";
    at += static_cast<std::size_t>(step.length);
    if (text.size() >= 40 && at < field.size()) text += "...";
  }
  return text;
}

}  // namespace weft::data
