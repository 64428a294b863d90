// An evaluation's figures, computed again from its predictions: of all examples, or of all but some
// rows, which tells how much a figure depends on which rows were sampled.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "train/loop/predictions.h"

namespace weft::train {

/// A figure ("accuracy", "auc", ...) of these examples. NaN where the predictions do not have what
/// it takes, or it is not defined.
double figure_of(const Predictions& predictions, const std::string& figure,
                 const std::vector<std::size_t>& examples);

/// In how many groups rows are left out, at most.
inline constexpr std::size_t kMostRowGroups = 100;

/// The grouped jackknife of a figure over the rows that were sampled: rows in their order, in
/// kMostRowGroups groups as even as can be or one row each, and for group g of G the pseudo-value
///   G theta - (G - 1) theta without g.
/// Their mean estimates the figure, and their variance over G that of the figure over samples of
/// rows. Empty where the figure cannot be computed, or with fewer than two rows. Source: Quenouille
/// 1956, "Notes on bias in estimation", Biometrika 43; of groups: Shao and Tu 1995, "The jackknife
/// and bootstrap", section 2.3.
std::vector<double> row_pseudo_values(const Predictions& predictions, const std::string& figure);

/// How many rows were sampled.
std::size_t count_rows(const Predictions& predictions);

}  // namespace weft::train
