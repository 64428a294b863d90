#include "data/table/table_tokens.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "data/find_data_set.h"
#include "data/table/csv.h"

namespace weft::data {
namespace {

float as_float(double value, std::int64_t row, std::int64_t column, const std::string& source) {
  if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max()))
    fail<IoError>(source, "{} in row {}, column {} is beyond what a 32-bit float holds; scale the column", value, row + 1, column + 1);
  return static_cast<float>(value);
}

}  // namespace

TokenData table_tokens(const Tensor& values, const TableTokens& o, std::string source) {
  if (values.rank() != 2 || values.dtype() != DType::f64)
    fail<ShapeError>("table", "wants (N, C) in f64, got {} {}", name(values.dtype()), values.shape().str());
  const std::int64_t rows = values.size(0), columns = values.size(1), features = columns - 1;
  if (features < 1) fail<ConfigError>(source, "a table needs at least one column of features and the last one as target, this has {}", columns);
  const std::int64_t validation = o.validation > 0 ? o.validation : std::max<std::int64_t>(1, rows / 5),
                     test = o.test > 0 ? o.test : std::max<std::int64_t>(1, rows / 5);
  if (o.validation < 0 || o.test < 0 || o.train < 0)
    fail<ConfigError>("data", "train {}, validation {} and test {} must not be negative", o.train, o.validation, o.test);
  if (validation >= rows || test >= rows - validation || o.train > rows - validation - test)
    fail<ConfigError>("data", "validation {} and test {} leave {} of {} rows to train on: use smaller ones", validation, test,
                      std::max<std::int64_t>(0, rows - validation - test), rows);
  const std::int64_t train = o.train > 0 ? o.train : rows - validation - test;

  const Tensor flat = raw::contiguous(values);
  const double* table = flat.data<double>();
  const Tensor order = Generator(0, "data.table.split").permutation(rows);
  std::int64_t next = 0, high = 0;
  const auto part = [&](std::int64_t count) {
    TokenData::Part result{Tensor::empty({count, features, 1}), Tensor::empty({count})};
    for (std::int64_t i = 0; i < count; ++i, ++next) {
      const std::int64_t row = order.data<std::int64_t>()[next];
      const double* from = table + row * columns;
      for (std::int64_t c = 0; c < features; ++c) result.tokens.data<float>()[i * features + c] = as_float(from[c], row, c, source);
      const double target = from[features];
      high += o.binary && target >= o.at_least ? 1 : 0;
      result.targets.data<float>()[i] = o.binary ? (target >= o.at_least ? 1.0F : 0.0F) : as_float(target, row, features, source);
    }
    return result;
  };
  // The test rows come first, so that they stay the same when the other sizes change.
  TokenData::Part test_part = part(test), validation_part = part(validation), train_part = part(train);
  if (o.binary && (high == 0 || high == next))
    fail<ConfigError>(source, "{} targets are at least {}: there are no two classes to be told apart", high == 0 ? "no" : "all", o.at_least);
  return {std::move(train_part), std::move(validation_part), std::move(test_part), o.binary, o.standardise, std::move(source)};
}

TokenData load_table_tokens(std::string_view name_or_path, const TableTokens& options) {
  const std::string path = find_data_set(name_or_path);
  return table_tokens(read_csv(path).values, options, path);
}

}  // namespace weft::data
