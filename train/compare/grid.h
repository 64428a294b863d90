// Which learning rates the arms of a comparison try, and which of them is taken. All arms of a task
// try the same factors of their own rates. Where the best of an arm is the first or the last, the
// grid goes on at that end for all of them, until every best lies inside or kMostRates are tried.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "train/compare/run_results.h"

namespace weft::compare {

/// A grid grows up to so many factors. One that a suite declares larger is taken as it is.
inline constexpr std::size_t kMostRates = 7;

/// Where the best of a grid lies. At an end a better one may lie beyond.
enum class GridEnd : std::uint8_t { inside, smallest, largest };
inline constexpr GridEnd kGridEnds[] = {GridEnd::inside, GridEnd::smallest, GridEnd::largest};
std::string_view name(GridEnd end);  ///< "inside", ...

/// An arm's figures on validation data, one a factor; NaN where a try failed.
using TriedValues = std::vector<double>;

/// The best of ascending factors; of two that are alike the one nearer 1. Nothing where all failed.
std::optional<std::size_t> best_of(const std::vector<double>& factors, const TriedValues& values,
                                   bool lower_is_better);
/// Where it lies; inside for a grid of one factor, which was not searched.
GridEnd end_of(const std::vector<double>& factors, std::size_t best);

/// The factors by which a grid goes on, at one end or both, as far from the last as that is from
/// its neighbor and rounded to three digits; none where it may stay. `arms`: of every arm of the
/// task. Where only one more may be tried, it is at the end that more arms want, the larger of two.
std::vector<double> next_factors(const std::vector<double>& factors,
                                 const std::vector<TriedValues>& arms, bool lower_is_better);

/// The grid of a task as its tries stand.
struct Grid {
  std::vector<double> factors{};  ///< in ascending order
  bool decided = false;           ///< every try has ended, and there are no more of them
};
Grid grid_of(const Plan& plan, const CompareFolder& folder, std::size_t task);

/// What the tries of a cell gave: the mean over the tuning seeds, NaN where one of them failed.
/// Nothing while one is missing.
std::optional<TriedValues> tried_values(const Plan& plan, const CompareFolder& folder,
                                        std::size_t cell, const std::vector<double>& factors);

/// The learning rate that a cell's runs have, as a factor; nothing while its task's grid is
/// undecided, and where all tries failed.
std::optional<double> best_factor(const Plan& plan, const CompareFolder& folder, std::size_t cell,
                                  const Grid& grid);

}  // namespace weft::compare
