// What a table run is: a model that tells one column of a table of any columns from the others.
#pragma once

#include <string>

#include "data/table/table_rows.h"
#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct TableConfig : RunConfig {
  TableConfig();

  std::string data = "adult";    ///< "adult", "wine", or a file of separated values
  std::string target;            ///< a column's name; empty: the last one
  std::string drop;              ///< names of columns, separated by commas
  std::string categorical;       ///< the same
  std::string predict = "auto";  ///< class, number, or what the target is
  std::string header = "auto";
  std::string validation_file;
  std::string test_file;
  std::string positive;  ///< the class that F1 is of; empty: the rarer of two
  bool standardize = true;
  bool skip_bad = false;
  std::int64_t min_count = 2;
  std::int64_t most_categories = 1000;
  std::int64_t train = 0;       ///< rows; 0: all that are left
  std::int64_t validation = 0;  ///< 0: a tenth
  std::int64_t test = 0;        ///< 0: a fifth
  std::int64_t steps = 2000;
};

/// Where the rows come from and how they are read, as the configuration says.
data::TableFiles table_files(const TableConfig& config);

/// The models of table runs. A new one is one line in train/tasks/table/table_models.cpp.
const Registry& table_models();

const Kind& kind_of(const TableConfig&);

}  // namespace weft::train
