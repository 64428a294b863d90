// weft predict RUN FILE.csv: rows of a table.
#pragma once

#include <string>
#include <vector>

#include "train/tasks/common/run_facts.h"

namespace weft::cli {

struct RowFlags {
  std::vector<std::string> files;
  std::string out;  ///< a CSV file; empty: standard output
  bool skip_bad = false;
  bool json = false;
};

/// Writes a line for each row: the number of the row, what is predicted, and of classes the
/// probability of each. The exit code.
int predict_rows(const train::RunFacts& run, const RowFlags& flags);

}  // namespace weft::cli
