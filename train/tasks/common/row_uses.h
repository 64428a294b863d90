// What can be asked of a run that reads rows of tables.
#pragma once

#include <string>
#include <vector>

namespace weft::train {

/// What a run says of each row of a file.
struct RowGuesses {
  std::string target{};                 ///< the name of what is told
  std::vector<std::string> classes{};   ///< none: a number
  std::vector<std::string> answers{};   ///< of each row: a class, or a number
  std::vector<double> probabilities{};  ///< of each row, of each class
  std::vector<std::string> notes{};     ///< what of the file was left out, or is not known
};

/// A run that predicts a column of a table: weft predict RUN FILE.csv.
class RowPredictor {
 public:
  virtual ~RowPredictor() = default;
  /// Columns are found by their names; the target's need not be there. With `skip_bad` lines that
  /// are no rows are left out and counted. Throws IoError.
  virtual RowGuesses predict_rows(const std::string& file, bool skip_bad) const = 0;
};

}  // namespace weft::train
