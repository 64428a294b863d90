// How a comparison goes on, on stderr: a table on a terminal, a line now and then elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "train/compare/runner.h"

namespace weft::cli {

/// "312 of 1,040 runs, 2 running, 1 failed, 3:12 left".
std::string progress_line(const compare::CompareProgress& progress);
/// A row an arm, a column a task: the means of the runs that are finished. Cut to so many columns
/// and rows; empty where not even a part has room.
std::string means_table(const compare::CompareProgress& progress, int columns, int rows);

class CompareTable {
 public:
  explicit CompareTable(std::string title);
  ~CompareTable();
  void show(const compare::CompareProgress& progress);
  /// Takes the table away, so that something else can be printed.
  void clear();

 private:
  std::string title_;
  bool terminal_;
  int lines_ = 0;  ///< that stand on the terminal
  std::chrono::steady_clock::time_point last_line_{};
  std::int64_t last_done_ = -1;
};

}  // namespace weft::cli
