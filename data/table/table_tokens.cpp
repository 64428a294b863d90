#include "data/table/table_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "data/find_data_set.h"
#include "data/table/csv.h"

namespace weft::data {
namespace {

constexpr double kLargestToSquare = 1e150;  // the sum of squares of such numbers is finite
constexpr double kDigitsLost = 1e-3;        // of a column's deviation: rounding that can be noticed

/// What a column's training rows hold, in 64-bit floats.
struct ColumnFacts {
  double mean = 0, deviation = 0, rounding_f32 = 0;
};

ColumnFacts facts_of_column(const double* values, std::int64_t rows, std::int64_t stride) {
  ColumnFacts facts;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double value = values[i * stride];
    facts.mean += value / static_cast<double>(rows);
    const double rounding = std::abs(static_cast<double>(static_cast<float>(value)) - value);
    facts.rounding_f32 = std::max(facts.rounding_f32, rounding);
  }
  double squares = 0;
  bool equal = true;
  for (std::int64_t i = 0; i < rows; ++i) {
    squares += (values[i * stride] - facts.mean) * (values[i * stride] - facts.mean);
    equal = equal && values[i * stride] == values[0];
  }
  facts.deviation = equal ? 0 : std::sqrt(squares / static_cast<double>(rows));
  return facts;
}

/// What whoever trains on these columns should know.
void add_notes(TokenData& data, const CsvTable& table, const Tensor& features,
               const Tensor& targets, const TableTokens& o) {
  const std::int64_t rows = features.size(0), columns = features.size(1);
  const auto note = [&](std::int64_t column, const std::string& text) {
    const std::string name = table.column_name(static_cast<std::size_t>(column));
    data.add_note(fmt::format("{}: {} {}", data.source(), name, text));
  };
  const auto lost = [&](std::int64_t column, double rounding, double deviation, std::string_view as,
                        std::string_view mend) {
    note(column,
         fmt::format("loses digits as {}: its values deviate by {:.4g}, and are rounded by up "
                     "to {:.4g}; {}",
                     as, deviation, rounding, mend));
  };
  for (std::int64_t c = 0; c <= columns; ++c) {
    const bool is_target = c == columns;
    const ColumnFacts facts = is_target
                                  ? facts_of_column(targets.data<double>(), rows, 1)
                                  : facts_of_column(features.data<double>() + c, rows, columns);
    const double read = table.rounding[static_cast<std::size_t>(c)];
    if (facts.deviation == 0) {
      if (!is_target) note(c, "has one value in all training rows: nothing can be learned from it");
    } else if (read > kDigitsLost * facts.deviation) {
      lost(c, read, facts.deviation, "64-bit numbers", "take off what all its values share");
    } else if (!is_target && !o.standardize && facts.rounding_f32 > kDigitsLost * facts.deviation) {
      lost(c, facts.rounding_f32, facts.deviation, "32-bit numbers", "use --standardize");
    }
  }
}

}  // namespace

TokenData table_tokens(const CsvTable& table, const TableTokens& o, std::string source) {
  const Tensor& values = table.values;
  if (values.rank() != 2 || values.dtype() != DType::f64)
    fail<ShapeError>("table", "expects (N, C) in f64, got {} {}", name(values.dtype()),
                     values.shape().str());
  const std::int64_t rows = values.size(0), columns = values.size(1), features = columns - 1;
  if (features < 1)
    fail<ConfigError>(
        source,
        "a table needs at least one column of features and the last one as target, this has {}",
        columns);
  const std::int64_t validation =
                         o.validation > 0 ? o.validation : std::max<std::int64_t>(1, rows / 5),
                     test = o.test > 0 ? o.test : std::max<std::int64_t>(1, rows / 5);
  if (o.validation < 0 || o.test < 0 || o.train < 0)
    fail<ConfigError>("data", "train {}, validation {} and test {} must not be negative", o.train,
                      o.validation, o.test);
  if (validation >= rows || test >= rows - validation || o.train > rows - validation - test)
    fail<ConfigError>("data",
                      "validation {} and test {} leave {} of {} rows to train on: use smaller ones",
                      validation, test, std::max<std::int64_t>(0, rows - validation - test), rows);
  const std::int64_t train = o.train > 0 ? o.train : rows - validation - test;

  const Tensor flat = raw::contiguous(values);
  const double* cells = flat.data<double>();
  const auto within = [&](double value, std::int64_t row, std::int64_t column, bool as_it_is) {
    const double most =
        as_it_is ? static_cast<double>(std::numeric_limits<float>::max()) : kLargestToSquare;
    if (std::abs(value) > most)
      fail<IoError>(source, "{} in row {}, {} is beyond what {}; scale the column", value, row + 1,
                    table.column_name(static_cast<std::size_t>(column)),
                    as_it_is ? "a 32-bit float holds" : "can be squared");
    return value;
  };
  const Tensor order = Generator(0, "data.table.split").permutation(rows);
  std::int64_t next = 0, high = 0;
  const auto part = [&](std::int64_t count) {
    TokenData::Part result{Tensor::empty({count, features, 1}, DType::f64),
                           Tensor::empty({count}, DType::f64)};
    high = 0;
    for (std::int64_t i = 0; i < count; ++i, ++next) {
      const std::int64_t row = order.data<std::int64_t>()[next];
      const double* from = cells + row * columns;
      for (std::int64_t c = 0; c < features; ++c)
        result.tokens.data<double>()[i * features + c] =
            within(from[c], row, c, o.old_rules || !o.standardize);
      const double target = within(from[features], row, features, o.old_rules && !o.binary);
      high += o.binary && target >= o.at_least ? 1 : 0;
      result.targets.data<double>()[i] = o.binary ? (target >= o.at_least ? 1.0 : 0.0) : target;
    }
    return result;
  };
  // The test rows come first, so that they stay the same when the other sizes change.
  TokenData::Part test_part = part(test), validation_part = part(validation),
                  train_part = part(train);
  if (o.binary && (high == 0 || high == train) && !o.old_rules)
    fail<ConfigError>(
        source,
        "{} of the {} training targets are at least {}: there are not two classes to distinguish",
        high == 0 ? "none" : "all", train, o.at_least);
  const Tensor all_targets = train_part.targets,
               all_features = raw::reshape(train_part.tokens, {train, features});
  const double* y = all_targets.data<double>();
  if (!o.binary && !o.old_rules && train > 1 &&
      std::all_of(y, y + train, [&](double one) { return one == y[0]; }))
    fail<ConfigError>(source, "all {} training targets ({}) are {}: there is nothing to learn",
                      train, table.column_name(static_cast<std::size_t>(features)), y[0]);
  for (TokenData::Part* one : {&test_part, &validation_part, &train_part}) {
    if (o.old_rules) one->tokens = raw::cast(one->tokens, DType::f32);
    if (o.old_rules || o.binary) one->targets = raw::cast(one->targets, DType::f32);
  }
  TokenData data(std::move(train_part), std::move(validation_part), std::move(test_part), o.binary,
                 o.standardize, std::move(source));
  if (!o.old_rules) add_notes(data, table, all_features, all_targets, o);
  return data;
}

TokenData table_tokens(const Tensor& values, const TableTokens& options, std::string source) {
  const std::size_t columns = values.rank() == 2 ? static_cast<std::size_t>(values.size(1)) : 0;
  return table_tokens(
      CsvTable{.names = {}, .values = values, .rounding = std::vector<double>(columns, 0)}, options,
      std::move(source));
}

TokenData load_table_tokens(std::string_view name_or_path, const TableTokens& options) {
  const std::string path = find_data_set(name_or_path);
  return table_tokens(read_csv(path), options, path);
}

}  // namespace weft::data
