// What a model answered to each example of a split: what an evaluation's figures are made of, kept
// beside a run so that they can be computed again of any part of the examples.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace weft::train {

/// Columns of one length, one entry an example. `row` says which example was sampled with which: an
/// image, a message, a table's row, a user's events, a block of a text; examples of one row stand
/// or fall together. Others are what figures are made of: truth, guess, score, clicked; loss (nats,
/// sum over the example's targets), count (its targets), right (of them), bytes, exact, found,
/// square.
struct Predictions {
  /// A list whose columns stay where they are when one is added.
  std::deque<std::pair<std::string, std::vector<double>>> columns{};

  bool empty() const { return columns.empty(); }
  /// One of the columns, made on first use.
  std::vector<double>& operator[](const std::string& name);
  /// Null where there is none of that name.
  const std::vector<double>* find(const std::string& name) const;
};

/// RUN/test_predictions.safetensors: columns of whole numbers as i32, others as f32. Throws
/// IoError.
void write_predictions(const std::filesystem::path& file, const Predictions& predictions);
Predictions read_predictions(const std::filesystem::path& file);
/// Its place in a run's folder.
std::filesystem::path predictions_file(const std::filesystem::path& run);

}  // namespace weft::train
