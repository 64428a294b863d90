// A model that table runs may choose: one file in train/tasks/table/models/ and one line in
// train/tasks/table/table_models.cpp.
#pragma once

#include <memory>
#include <vector>

#include "nn/model.h"
#include "train/config/block_options.h"
#include "train/tasks/table/table_config.h"

namespace weft::train {

/// What a model must know of its rows.
struct TableFacts {
  std::vector<std::int64_t> widths;  ///< features of each column
  std::int64_t outputs = 1;

  static TableFacts of(const data::TableSchema& schema);
  std::int64_t width() const;   ///< features of a row
  std::int64_t widest() const;  ///< of a column
};

class TableModel : public Entry {
 public:
  /// Throws ConfigError for rows that the model cannot read. Of a configuration whose model is this
  /// one, as what follows. Weights are drawn from the stream `init` of this thread.
  virtual std::unique_ptr<nn::Model> build(const TableConfig& config,
                                           const TableFacts& facts) const = 0;
  /// Whether rows come as tokens (B, columns, widest column), short columns filled with zeros, and
  /// not as (B, features).
  virtual bool reads_tokens() const { return false; }
};

/// Of the model that is chosen.
std::unique_ptr<nn::Model> build_model(const TableConfig& config, const TableFacts& facts);
/// Rows as the chosen model reads them.
Tensor model_input(const TableConfig& config, const data::TableRows& from,
                   const std::vector<std::int64_t>& rows, const data::TableSchema& schema);

}  // namespace weft::train
