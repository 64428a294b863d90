#include "train/compare/spread.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "train/compare/intervals.h"

namespace weft::compare {

RunSpread spread_of(Values values, double threshold, bool lower_is_better, double difference,
                    double confidence) {
  std::vector<double> known;
  for (const double value : values)
    if (std::isfinite(value)) known.push_back(value);
  RunSpread spread{.runs = std::ssize(known)};
  if (known.empty()) return spread;
  std::sort(known.begin(), known.end());
  spread.not_excluded = rate_not_excluded(spread.runs, confidence);
  const auto solves = [&](double value) {
    return lower_is_better ? value <= threshold : value >= threshold;
  };
  if (std::isfinite(threshold)) {
    spread.solved = std::count_if(known.begin(), known.end(), solves);
    spread.share = share_interval(spread.solved, spread.runs, confidence);
  }
  const double center = mean(known), wide = known.back() - known.front();
  // Of six normal runs one in eight would have such a gap of half the range.
  const double part = std::max(0.5, 4 / static_cast<double>(known.size()));
  for (std::size_t i = 1; i < known.size(); ++i) {
    const double gap = known[i] - known[i - 1];
    const bool by_threshold = std::isfinite(threshold) && solves(known[i]) != solves(known[i - 1]);
    if (!(known[i - 1] < center && center < known[i]) && !by_threshold) continue;
    if (!(gap > difference) || (!by_threshold && gap <= part * wide)) continue;
    spread.split = true;
    spread.below = known[i - 1];
    spread.above = known[i];
    spread.below_count = static_cast<std::int64_t>(i);
  }
  return spread;
}

}  // namespace weft::compare
