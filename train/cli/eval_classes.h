// weft eval RUN --classes: how a classifier fares with each class.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/loop/predictions.h"

namespace weft::cli {

/// Counts of examples by what they are and what they were taken for.
struct Confusion {
  std::vector<std::string> names;                 ///< by label
  std::vector<std::vector<std::int64_t>> counts;  ///< [truth][guess]

  /// Of the columns `truth` and `guess`. Throws ConfigError where they are not there.
  Confusion(const train::Predictions& predictions, std::vector<std::string> names);
  /// Examples of a class.
  std::int64_t size(std::size_t label) const;
  /// A line for each class: its examples, how many of them are right, what it is most often taken
  /// for instead (the first where several are).
  std::string table() const;
  /// The same, and the whole matrix. A class without examples has no accuracy (null).
  nlohmann::ordered_json to_json() const;
};

}  // namespace weft::cli
