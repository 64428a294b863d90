// What a table model must know of its columns to read new rows as it read those it learned from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/synthetic/token_data.h"
#include "data/table/records.h"

namespace weft::data {

enum class ColumnType : std::uint8_t { number, date, category };
std::string_view name(ColumnType type);  ///< "number", "date", "category"

/// A column that is learned from.
struct TableColumn {
  std::string name;
  ColumnType type = ColumnType::number;
  // Of numbers and dates: of the training rows whose cell holds one.
  MeanStd scale{};         ///< what a number is shifted and divided by
  double median = 0;       ///< what stands for an empty cell
  bool indicator = false;  ///< empty cells are a second feature, as training rows had some
  // Of categories: those that training rows hold often enough, in the order of their bytes; an
  // empty cell is one of them, "". All others are one unknown value.
  std::vector<std::string> categories{};

  /// Features that the column becomes: a number and perhaps its indicator, or one for the unknown
  /// value and each category, of which one is 1 and all others 0.
  std::int64_t width() const;
};

/// The column that is to be told.
struct TableTarget {
  std::string name;
  std::vector<std::string> classes{};  ///< in the order of their bytes; none: a number
  MeanStd scale{};                     ///< of a number's training rows

  bool is_number() const { return classes.empty(); }
  /// Outputs of a model: two classes and a number take one.
  std::int64_t outputs() const { return classes.size() > 2 ? std::ssize(classes) : 1; }
};

struct SchemaOptions {
  std::string target{};                    ///< a column's name; empty: the last one
  std::vector<std::string> drop{};         ///< columns that are not learned from
  std::vector<std::string> categorical{};  ///< columns whose numbers are names
  std::string task = "auto";               ///< regression, classification, or told from the target
  bool standardize = true;
  std::int64_t min_count = 2;  ///< training rows that make a value a category
  std::int64_t most_categories = 1000;
  bool skip_bad = false;  ///< columns without a value are left out
};

struct TableSchema {
  bool named = true;  ///< columns are found by name, else by their place
  std::vector<TableColumn> columns{};
  TableTarget target{};

  std::int64_t width() const;                ///< features of a row
  std::vector<std::int64_t> widths() const;  ///< by column
  std::string to_json() const;
  /// Throws ConfigError, `[where] ...`.
  static TableSchema from_json(const std::string& json, const std::string& where);
};

/// The column whose values are told, and whether they are classes: names, or at most two numbers.
/// Throws ConfigError for a name that is not there (with the nearest), and a task that its values
/// cannot be.
TableTarget target_of(const Records& table, const SchemaOptions& options);
/// The class or the number of a row; nullopt for an empty cell. Throws IoError for another class
/// and for a number that is none.
std::optional<double> target_value(const Records& table, std::int64_t row, std::size_t column,
                                   const TableTarget& target);

/// Columns from the training rows. A column is of numbers or of dates where each of its values is
/// one, else of categories. Appends what whoever trains should know to `notes`. Throws ConfigError
/// for unknown names, columns without a value, and tables without a column to learn from.
TableSchema learn_schema(const Records& table, std::span<const std::int64_t> rows,
                         const TableTarget& target, const SchemaOptions& options,
                         std::vector<std::string>& notes);

/// Days since 1970-01-01 of `2024-03-01`, `2024/03/01`, with or without a time of day behind it
/// (`2024-03-01T18:30:00Z`, `2024-03-01 18:30`); nothing else is a date.
std::optional<double> field_date(std::string_view field);

}  // namespace weft::data
