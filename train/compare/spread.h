// What single runs of an arm are like: how many solved their task, and whether their mean stands
// for any of them.
#pragma once

#include <cstdint>
#include <limits>

#include "train/compare/statistics.h"

namespace weft::compare {

struct RunSpread {
  std::int64_t runs = 0;    ///< that have a figure
  std::int64_t solved = 0;  ///< of these, at or beyond the threshold; 0 where there is none
  Interval share =
      kNoInterval;  ///< of the probability that a run solves the task (share_interval())
  /// The rate of failures that so many runs without one cannot exclude (rate_not_excluded()).
  double not_excluded = 1;
  /// Whether the mean describes no run: it lies in a gap between runs that is more than half as
  /// wide as all of them lie apart (two thirds for six runs), and wider than what counts as a
  /// difference.
  bool split = false;
  double below = std::numeric_limits<double>::quiet_NaN();  ///< the ends of that gap
  double above = std::numeric_limits<double>::quiet_NaN();
  std::int64_t below_count = 0;  ///< runs at or below its lower end
};

/// `threshold`: from which figure on a run has solved the task; NaN: not declared. `difference`:
/// what is the least to count as one, twice the margin of the task or, without a margin, a tenth of
/// what lies between chance and the ceiling, or 0. With a threshold runs on both sides of it are
/// split by it. Values that are not finite are left out.
RunSpread spread_of(Values values, double threshold, bool lower_is_better, double difference,
                    double confidence = 0.95);

}  // namespace weft::compare
