#include "data/table/table_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "data/find_data_set.h"
#include "data/table/delimited.h"

namespace weft::data {
namespace {

std::vector<std::int64_t> all_rows(const Records& table) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(table.rows()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

/// Where the schema's columns stand in a table.
std::vector<std::size_t> places_in(const Records& table, const TableSchema& schema) {
  std::vector<std::size_t> places;
  std::vector<std::string> missing;
  for (const TableColumn& column : schema.columns) {
    places.push_back(table.find(column.name));
    if (places.back() == Records::npos) missing.push_back(column.name);
  }
  if (!missing.empty())
    fail<IoError>(table.source(), "has no column {}: its columns are {}{}",
                  fmt::join(missing, ", "), fmt::join(table.names(), ", "),
                  schema.named && !table.named() ? "; a first line must name them" : "");
  return places;
}

/// Rows with a target, or all: where one has none it is an error, or left out.
std::vector<std::int64_t> rows_with_target(const Records& table, const TableTarget& target,
                                           bool skip_bad, std::vector<std::string>& notes) {
  const std::size_t place = table.find(target.name);
  if (place == Records::npos)
    fail<IoError>(table.source(), "has no column {}, the target: its columns are {}", target.name,
                  fmt::join(table.names(), ", "));
  std::vector<std::int64_t> rows;
  std::int64_t without = 0;
  for (const std::int64_t row : all_rows(table)) {
    if (!table.cell(row, place).empty()) {
      rows.push_back(row);
    } else {
      if (!skip_bad)
        fail<IoError>(table.place(row), "the target {} is empty; --skip-bad leaves such rows out",
                      target.name);
      ++without;
    }
  }
  if (without > 0)
    notes.push_back(fmt::format("{}: left out {} row{} without a target", table.source(), without,
                                without == 1 ? "" : "s"));
  if (table.skipped() > 0)
    notes.push_back(fmt::format("{}: left out {} line{} with too few or too many fields",
                                table.source(), table.skipped(), table.skipped() == 1 ? "" : "s"));
  if (rows.empty()) fail<IoError>(table.source(), "has no row with a target");
  return rows;
}

/// The rows in one fixed order, in which each stretch has of each class its share: the k-th of n
/// members of a class stands at (k + 1/2) / n of the way.
std::vector<std::int64_t> spread_by_class(const Records& table,
                                          const std::vector<std::int64_t>& rows,
                                          const TableTarget& target) {
  const Tensor order = Generator(0, "data.table.rows").permutation(std::ssize(rows));
  std::vector<std::int64_t> shuffled;
  for (std::int64_t i = 0; i < order.numel(); ++i)
    shuffled.push_back(rows[static_cast<std::size_t>(order.data<std::int64_t>()[i])]);
  if (target.is_number()) return shuffled;
  const std::size_t place = table.find(target.name);
  std::vector<std::vector<std::int64_t>> members(target.classes.size());
  for (const std::int64_t row : shuffled)
    members[static_cast<std::size_t>(*target_value(table, row, place, target))].push_back(row);
  std::vector<std::pair<double, std::int64_t>> at;
  for (const auto& of_class : members)
    for (std::size_t k = 0; k < of_class.size(); ++k)
      at.emplace_back((static_cast<double>(k) + 0.5) / static_cast<double>(of_class.size()),
                      of_class[k]);
  std::stable_sort(at.begin(), at.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::int64_t> result;
  for (const auto& [where, row] : at) result.push_back(row);
  return result;
}

void say_what_is_told(const TableData& data, std::vector<std::string>& notes) {
  const TableTarget& target = data.schema.target;
  if (target.is_number()) {
    notes.push_back(
        fmt::format("{}: predicts {}, a number (mean {:.4g}, standard deviation {:.4g})",
                    data.source, target.name, target.scale.mean, target.scale.std));
    return;
  }
  std::vector<std::string> shares;
  const auto labels = data.rows(Split::train).targets.to_vector<std::int64_t>();
  for (std::size_t c = 0; c < target.classes.size() && c < 10; ++c)
    shares.push_back(fmt::format("{} {:.1f} %", shown_field(target.classes[c]),
                                 100.0 *
                                     static_cast<double>(std::count(labels.begin(), labels.end(),
                                                                    static_cast<std::int64_t>(c))) /
                                     static_cast<double>(labels.size())));
  notes.push_back(fmt::format("{}: predicts {}, {} classes: {}{}", data.source, target.name,
                              target.classes.size(), fmt::join(shares, ", "),
                              target.classes.size() > 10 ? ", ..." : ""));
}

}  // namespace

TableRows read_rows(const Records& table, const std::vector<std::int64_t>& rows,
                    const TableSchema& schema, bool with_targets) {
  const std::vector<std::size_t> places = places_in(table, schema);
  std::int64_t of_numbers = 0, of_names = 0;
  for (const TableColumn& column : schema.columns) {
    if (column.type == ColumnType::category)
      ++of_names;
    else
      of_numbers += column.width();
  }
  const auto count = std::ssize(rows);
  TableRows result{Tensor::zeros({count, of_numbers}), Tensor::zeros({count, of_names}, DType::i64),
                   Tensor()};
  float* number = result.numbers.data<float>();
  auto* id = result.ids.data<std::int64_t>();
  for (const std::int64_t row : rows)
    for (std::size_t c = 0; c < schema.columns.size(); ++c) {
      const TableColumn& column = schema.columns[c];
      const std::string_view cell = table.cell(row, places[c]);
      if (column.type == ColumnType::category) {
        const auto& known = column.categories;
        const auto found = std::lower_bound(known.begin(), known.end(), cell);
        const bool is_known = found != known.end() && *found == cell;
        result.unknown += is_known ? 0 : 1;
        *id++ = is_known ? 1 + (found - known.begin()) : 0;
        continue;
      }
      std::optional<double> value = column.median;
      if (!cell.empty())
        value = column.type == ColumnType::date ? field_date(cell) : field_number(cell);
      if (!value)
        fail<IoError>(table.place(row), "column {}: `{}` is not a {}, as its training rows are",
                      column.name, shown_field(cell), name(column.type));
      const double scaled = (*value - column.scale.mean) / column.scale.std;
      if (!(std::abs(scaled) < 1e37))
        fail<IoError>(table.place(row), "column {}: {} is beyond what a 32-bit float holds",
                      column.name, *value);
      *number++ = static_cast<float>(scaled);
      if (column.indicator) *number++ = cell.empty() ? 1.0f : 0.0f;
    }
  if (!with_targets) return result;
  const std::size_t place = table.find(schema.target.name);
  const bool is_number = schema.target.is_number();
  result.targets = Tensor::empty({count}, is_number ? DType::f64 : DType::i64);
  for (std::int64_t i = 0; i < count; ++i) {
    const double value =
        target_value(table, rows[static_cast<std::size_t>(i)], place, schema.target).value();
    if (is_number)
      result.targets.data<double>()[i] = value;
    else
      result.targets.data<std::int64_t>()[i] = static_cast<std::int64_t>(value);
  }
  return result;
}

TableRows read_rows(const Records& table, const TableSchema& schema, bool with_targets) {
  return read_rows(table, all_rows(table), schema, with_targets);
}

namespace {

/// Columns `apart` features apart, or, where that is 0, one right after the other.
Tensor features_of(const TableRows& from, const std::vector<std::int64_t>& rows,
                   const TableSchema& schema, std::int64_t apart) {
  const std::int64_t of_numbers = from.numbers.size(1), of_names = from.ids.size(1);
  const std::int64_t width = apart > 0 ? apart * std::ssize(schema.columns) : schema.width();
  Tensor features = Tensor::zeros({std::ssize(rows), width});
  float* to = features.data<float>();
  for (const std::int64_t row : rows) {
    const float* number = from.numbers.data<float>() + row * of_numbers;
    const std::int64_t* id = from.ids.data<std::int64_t>() + row * of_names;
    for (const TableColumn& column : schema.columns) {
      const std::int64_t wide = column.width();
      if (column.type == ColumnType::category)
        to[*id++] = 1;
      else
        for (std::int64_t i = 0; i < wide; ++i) to[i] = *number++;
      to += apart > 0 ? apart : wide;
    }
  }
  return features;
}

}  // namespace

Tensor table_features(const TableRows& from, const std::vector<std::int64_t>& rows,
                      const TableSchema& schema) {
  return features_of(from, rows, schema, 0);
}

Tensor table_tokens(const TableRows& from, const std::vector<std::int64_t>& rows,
                    const TableSchema& schema) {
  const auto widths = schema.widths();
  const std::int64_t widest = *std::max_element(widths.begin(), widths.end());
  return raw::reshape(features_of(from, rows, schema, widest),
                      {std::ssize(rows), std::ssize(widths), widest});
}

TableData load_table(const TableFiles& files) {
  TableData data;
  data.source = find_data_set(files.train);
  const Records table = Records::read(data.source, files.records);
  TableTarget target = target_of(table, files.schema);
  const bool skip = files.records.skip_bad;
  const auto rows =
      spread_by_class(table, rows_with_target(table, target, skip, data.notes), target);
  const auto count = std::ssize(rows);
  const auto share = [&](const std::string& file, std::int64_t wanted, std::int64_t part) {
    if (!file.empty()) return std::int64_t{0};
    return wanted > 0 ? wanted : std::max<std::int64_t>(1, count / part);
  };
  const std::int64_t test = share(files.test, files.test_rows, 5),
                     validation = share(files.validation, files.validation_rows, 10);
  if (test > count || validation > count - test || files.train_rows > count - test - validation ||
      count - test - validation < 1)
    fail<ConfigError>(
        "data", "validation {} and test {} leave {} of {} rows to train on: use smaller ones",
        validation, test, std::max<std::int64_t>(0, count - validation - test), count);
  const auto part = [&](std::int64_t begin, std::int64_t size) {
    return std::vector<std::int64_t>(rows.begin() + begin, rows.begin() + begin + size);
  };
  const std::int64_t train = files.train_rows > 0 ? files.train_rows : count - test - validation;
  // Every k-th row of an order in which each stretch holds all classes: which rows are tested does
  // not depend on the other sizes.
  const auto test_rows = part(0, test), validation_rows = part(test, validation),
             train_rows = part(test + validation, train);
  data.schema = learn_schema(table, train_rows, target, files.schema, data.notes);
  data.splits[0] = read_rows(table, train_rows, data.schema);
  const auto held_out = [&](const std::string& file, const std::vector<std::int64_t>& own,
                            const std::string& what) {
    TableRows result;
    std::string source = data.source;
    if (file.empty()) {
      result = read_rows(table, own, data.schema);
    } else {
      source = find_data_set(file);
      const Records other = Records::read(source, files.records);
      result = read_rows(other, rows_with_target(other, data.schema.target, skip, data.notes),
                         data.schema);
    }
    if (result.unknown > 0)
      data.notes.push_back(
          fmt::format("{}: {} cell{} of the {} rows hold{} a category that is not "
                      "among the training rows, or rare there",
                      source, result.unknown, result.unknown == 1 ? "" : "s", what,
                      result.unknown == 1 ? "s" : ""));
    return result;
  };
  data.splits[1] = held_out(files.validation, validation_rows, "validation");
  data.splits[2] = held_out(files.test, test_rows, "test");
  say_what_is_told(data, data.notes);
  return data;
}

TableData load_whole_table(const TableFiles& files, const TableSchema& schema) {
  TableData data;
  data.source = find_data_set(files.train);
  data.schema = schema;
  const Records table = Records::read(data.source, files.records);
  data.splits[0] = data.splits[1] = read_rows(
      table, rows_with_target(table, schema.target, files.records.skip_bad, data.notes), schema);
  return data;
}

}  // namespace weft::data
