// Which part of what a comparison found hangs on the rows of its test sets: what every run answered
// to each of them, and intervals over seeds and rows.
#pragma once

#include <string>
#include <vector>

#include "train/compare/intervals.h"
#include "train/compare/run_results.h"

namespace weft::compare {

/// A cell's runs, row by row.
struct RowValues {
  /// By seed, then group of rows: pseudo-values of the metric (prediction_figures.h). A seed whose
  /// run did not end, or left no predictions, has none.
  std::vector<std::vector<double>> of_seed{};
  std::int64_t rows = 0;  ///< that were sampled
};

/// Reads the predictions of a cell's runs. Nothing where the test data are fresh for every seed.
RowValues read_rows(const Plan& plan, const CompareFolder& folder, std::size_t cell);

/// Over seeds and rows; kNoInterval with fewer than two seeds that have rows, or with other rows.
Interval interval_with_rows(double mean, const Interval& by_seeds, const RowValues& rows,
                            double confidence);
/// Of the difference a - b, seed by seed and row by row.
Interval interval_with_rows(double mean, const Interval& by_seeds, const RowValues& a,
                            const RowValues& b, double confidence);

}  // namespace weft::compare
