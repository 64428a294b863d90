// Rows of a table as a model gets them: numbers brought to one scale, and categories as ones among
// zeros.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "data/split.h"
#include "data/table/table_schema.h"

namespace weft::data {

/// Rows that a schema has read. Kept small: a category is one number here, however many features it
/// becomes in a batch.
struct TableRows {
  Tensor numbers;  ///< (N, K) f32: of columns of numbers and dates, with their indicators
  Tensor ids;      ///< (N, C) i64: of columns of categories, 0 for an unknown value
  Tensor targets;  ///< (N,): i64 classes or f64 numbers; undefined where the target is not there
  std::int64_t unknown = 0;  ///< cells whose category the schema does not know

  std::int64_t size() const { return numbers.size(0); }
};

/// Rows `rows` of a table, whose columns are found by name (by place where the schema has none).
/// Without `with_targets` the target's column need not be there. Throws IoError for a column that
/// is missing, a cell of a column of numbers that is none, and an empty target.
TableRows read_rows(const Records& table, const std::vector<std::int64_t>& rows,
                    const TableSchema& schema, bool with_targets = true);
/// The same of all rows.
TableRows read_rows(const Records& table, const TableSchema& schema, bool with_targets = true);

/// Rows `rows` of these as features (B, schema.width()), columns in their order.
Tensor table_features(const TableRows& from, const std::vector<std::int64_t>& rows,
                      const TableSchema& schema);
/// The same as tokens, one a column, (B, columns, widest column): what a column has fewer is 0.
Tensor table_tokens(const TableRows& from, const std::vector<std::int64_t>& rows,
                    const TableSchema& schema);

struct TableFiles {
  std::string train;         ///< a name of find_data_set(), or a path
  std::string validation{};  ///< files of their own; empty: rows of the first
  std::string test{};
  std::int64_t validation_rows = 0;  ///< 0: a tenth
  std::int64_t test_rows = 0;        ///< 0: a fifth
  std::int64_t train_rows = 0;       ///< 0: all that are left
  RecordsOptions records{};
  SchemaOptions schema{};
};

/// A table cut into its three splits: test rows first, in one fixed order that depends on no seed,
/// each class by its share. The schema is learned from the training rows alone.
struct TableData {
  TableSchema schema;
  TableRows splits[3];
  std::string source;
  std::vector<std::string> notes;

  const TableRows& rows(Split split) const { return splits[static_cast<int>(split)]; }
};

/// Throws ConfigError, IoError.
TableData load_table(const TableFiles& files);
/// All rows of a file as those of validation (and training), read by the schema of another.
TableData load_whole_table(const TableFiles& files, const TableSchema& schema);

}  // namespace weft::data
