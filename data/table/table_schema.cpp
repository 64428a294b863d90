#include "data/table/table_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "data/table/delimited.h"

namespace weft::data {
namespace {

constexpr std::size_t kMostClasses = 1000;
constexpr double kLargestCell = 1e150;  // the sum of squares of such numbers is finite

/// A name that is not there, as an error says it.
[[noreturn]] void fail_unknown(const Records& table, const std::string& choice,
                               const std::string& name) {
  fail<ConfigError>("config", "{} names the column {}, which {} does not have: its columns are {}",
                    choice, name, table.source(), fmt::join(table.names(), ", "));
}

std::size_t column_named(const Records& table, const std::string& choice, const std::string& name) {
  const std::size_t column = table.find(name);
  if (column == Records::npos) fail_unknown(table, choice, name);
  return column;
}

std::optional<double> value_of(std::string_view cell, ColumnType type) {
  return type == ColumnType::date ? field_date(cell) : field_number(cell);
}

MeanStd statistics(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (std::all_of(values.begin(), values.end(), [&](double x) { return x == values.front(); }))
    return {values.front(), 1};
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  const double std = std::sqrt(squares / count);
  return {mean, std > 0 ? std : 1};
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The type that every value has.
ColumnType type_of(const Records& table, std::span<const std::int64_t> rows, std::size_t column) {
  for (const ColumnType type : {ColumnType::number, ColumnType::date}) {
    const bool all = std::all_of(rows.begin(), rows.end(), [&](std::int64_t row) {
      const std::string_view cell = table.cell(row, column);
      return cell.empty() || value_of(cell, type).has_value();
    });
    if (all) return type;
  }
  return ColumnType::category;
}

void learn_numbers(TableColumn& column, const Records& table, std::span<const std::int64_t> rows,
                   std::size_t place, bool standardize, std::vector<std::string>& notes) {
  std::vector<double> values;
  for (const std::int64_t row : rows)
    if (const auto value = value_of(table.cell(row, place), column.type)) {
      if (std::abs(*value) > kLargestCell)
        fail<IoError>(table.place(row), "column {}: {} is beyond what can be squared; scale it",
                      column.name, *value);
      values.push_back(*value);
    }
  column.median = median_of(values);
  column.indicator = values.size() < rows.size();
  const MeanStd scale = statistics(values);
  if (standardize) column.scale = scale;
  for (const double value : values)
    if (std::abs((value - column.scale.mean) / column.scale.std) > 1e37)
      fail<ConfigError>("table", "column {}: {} is beyond what a 32-bit float holds; scale it",
                        column.name, value);
  if (values.front() == scale.mean && scale.std == 1 && !column.indicator &&
      std::all_of(values.begin(), values.end(), [&](double x) { return x == values.front(); }))
    notes.push_back(
        fmt::format("{}: column {} has one value in all training rows: nothing can be "
                    "learned from it",
                    table.source(), column.name));
}

void learn_categories(TableColumn& column, const Records& table, std::span<const std::int64_t> rows,
                      std::size_t place, const SchemaOptions& o, std::vector<std::string>& notes) {
  std::map<std::string_view, std::int64_t> counts;
  for (const std::int64_t row : rows) ++counts[table.cell(row, place)];
  std::vector<std::pair<std::int64_t, std::string_view>> often;
  for (const auto& [value, count] : counts)
    if (count >= o.min_count) often.emplace_back(-count, value);
  std::stable_sort(often.begin(), often.end());
  if (std::ssize(often) > o.most_categories)
    often.resize(static_cast<std::size_t>(o.most_categories));
  for (const auto& [count, value] : often) column.categories.emplace_back(value);
  std::sort(column.categories.begin(), column.categories.end());
  const std::size_t others = counts.size() - column.categories.size();
  if (often.empty())
    notes.push_back(
        fmt::format("{}: no value of column {} is in {} training rows or more: nothing "
                    "can be learned from it; --drop it, or lower --min-count",
                    table.source(), column.name, o.min_count));
  else if (others > 0)
    notes.push_back(fmt::format("{}: of the {} values of column {} the {} rarest count as unknown",
                                table.source(), counts.size(), column.name, others));
}

}  // namespace

std::string_view name(ColumnType type) {
  switch (type) {
    case ColumnType::number:
      return "number";
    case ColumnType::date:
      return "date";
    case ColumnType::category:
      break;
  }
  return "category";
}

std::int64_t TableColumn::width() const {
  if (type == ColumnType::category) return 1 + std::ssize(categories);
  return indicator ? 2 : 1;
}

std::int64_t TableSchema::width() const {
  const auto all = widths();
  return std::accumulate(all.begin(), all.end(), std::int64_t{0});
}

std::vector<std::int64_t> TableSchema::widths() const {
  std::vector<std::int64_t> all;
  for (const TableColumn& column : columns) all.push_back(column.width());
  return all;
}

std::optional<double> field_date(std::string_view field) {
  // `digits` of a number from `at` on.
  const auto number = [&](std::size_t at, std::size_t digits) -> std::optional<int> {
    if (at + digits > field.size()) return std::nullopt;
    int value = 0;
    for (const char c : field.substr(at, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = 10 * value + (c - '0');
    }
    return value;
  };
  const auto year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (!year || !month || !day || field[4] != field[7] || (field[4] != '-' && field[4] != '/'))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const auto days = static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
  if (field.size() == 10) return days;
  if (field.ends_with('Z')) field.remove_suffix(1);
  const auto hour = number(11, 2), minute = number(14, 2);
  if (!hour || !minute || (field[10] != 'T' && field[10] != ' ') || field[13] != ':' ||
      *hour > 23 || *minute > 59)
    return std::nullopt;
  double second = 0;
  if (field.size() > 16) {
    const auto value = field[16] == ':' ? field_number(field.substr(17)) : std::nullopt;
    if (!value || *value < 0 || *value >= 61) return std::nullopt;
    second = *value;
  }
  return days + (*hour * 3600 + *minute * 60 + second) / 86400;
}

TableTarget target_of(const Records& table, const SchemaOptions& o) {
  TableTarget target;
  target.name = o.target.empty() ? table.names().back() : o.target;
  const std::size_t column = column_named(table, "target", target.name);
  std::map<std::string_view, std::int64_t> values;
  bool numbers = true;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const std::string_view cell = table.cell(row, column);
    if (cell.empty()) continue;
    numbers = numbers && field_number(cell).has_value();
    if (o.task != "regression" || !numbers) ++values[cell];
  }
  if (o.task == "regression") {
    if (!numbers)
      fail<ConfigError>("config", "predict number needs numbers, and the target {} holds {}",
                        target.name, shown_field(values.begin()->first));
    return target;
  }
  if (numbers && values.size() > 2 && o.task != "classification") return target;
  if (values.size() < 2)
    fail<ConfigError>(
        table.source(), "the target {} has {}: there is nothing to tell apart", target.name,
        values.empty() ? "no value" : fmt::format("one value, {}", values.begin()->first));
  if (values.size() > kMostClasses)
    fail<ConfigError>(table.source(),
                      "the target {} has {} values, more than {} classes: name another with "
                      "--target, or use --predict number where they are numbers",
                      target.name, values.size(), kMostClasses);
  for (const auto& [value, count] : values) target.classes.emplace_back(value);
  return target;
}

std::optional<double> target_value(const Records& table, std::int64_t row, std::size_t column,
                                   const TableTarget& target) {
  const std::string_view cell = table.cell(row, column);
  if (cell.empty()) return std::nullopt;
  if (target.is_number()) {
    const auto value = field_number(cell);
    if (!value || std::abs(*value) > kLargestCell)
      fail<IoError>(table.place(row), "the target {} is to be a number, not `{}`", target.name,
                    shown_field(cell));
    return value;
  }
  const auto found = std::lower_bound(target.classes.begin(), target.classes.end(), cell);
  if (found == target.classes.end() || *found != cell)
    fail<IoError>(table.place(row), "the target {} is `{}`, which is none of the classes {}",
                  target.name, shown_field(cell), fmt::join(target.classes, ", "));
  return static_cast<double>(found - target.classes.begin());
}

TableSchema learn_schema(const Records& table, std::span<const std::int64_t> rows,
                         const TableTarget& target, const SchemaOptions& o,
                         std::vector<std::string>& notes) {
  TableSchema schema;
  schema.named = table.named();
  schema.target = target;
  for (const std::string& name : o.drop) column_named(table, "drop", name);
  for (const std::string& name : o.categorical) column_named(table, "categorical", name);
  const auto in = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (in(o.drop, target.name))
    fail<ConfigError>("config", "drop names the target, {}: it is what is told", target.name);
  for (std::size_t c = 0; c < table.columns(); ++c) {
    const std::string& name = table.names()[c];
    if (name == target.name || in(o.drop, name)) {
      if (in(o.categorical, name))
        fail<ConfigError>("config", "categorical names {}, which is {}", name,
                          name == target.name ? "the target" : "dropped");
      continue;
    }
    const bool empty = std::all_of(rows.begin(), rows.end(),
                                   [&](std::int64_t row) { return table.cell(row, c).empty(); });
    if (empty && !o.skip_bad)
      fail<ConfigError>(table.source(),
                        "column {} is empty in all training rows: use --drop \"{}\", or --skip-bad",
                        name, name);
    if (empty) {
      notes.push_back(fmt::format("{}: left out column {}, which is empty", table.source(), name));
      continue;
    }
    TableColumn column{.name = name};
    column.type = in(o.categorical, name) ? ColumnType::category : type_of(table, rows, c);
    if (column.type == ColumnType::category)
      learn_categories(column, table, rows, c, o, notes);
    else
      learn_numbers(column, table, rows, c, o.standardize, notes);
    schema.columns.push_back(std::move(column));
  }
  if (schema.columns.empty())
    fail<ConfigError>(table.source(), "has no column to learn from beside the target {}",
                      target.name);
  if (target.is_number()) {
    const std::size_t place = table.find(target.name);
    std::vector<double> values;
    for (const std::int64_t row : rows)
      values.push_back(target_value(table, row, place, target).value());
    schema.target.scale = statistics(values);
    if (values.size() > 1 &&
        std::all_of(values.begin(), values.end(), [&](double y) { return y == values.front(); }))
      fail<ConfigError>(table.source(),
                        "all {} training targets ({}) are {}: there is nothing to "
                        "learn",
                        values.size(), target.name, values.front());
  }
  return schema;
}

}  // namespace weft::data
