#include "train/compare/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/math.h"

namespace weft::compare {
namespace {

/// A factor that is written in three digits, as names of folders have it.
double three_digits(double factor) {
  return std::strtod(fmt::format("{:.3g}", factor).c_str(), nullptr);
}

}  // namespace

std::string_view name(GridEnd end) {
  return end == GridEnd::inside ? "inside" : end == GridEnd::smallest ? "smallest" : "largest";
}

std::optional<std::size_t> best_of(const std::vector<double>& factors, const TriedValues& values,
                                   bool lower_is_better) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    if (!best) {
      best = i;
      continue;
    }
    const double gain = lower_is_better ? values[*best] - values[i] : values[i] - values[*best];
    const bool nearer = std::abs(math::log(factors[i])) < std::abs(math::log(factors[*best]));
    if (gain > 0 || (gain == 0 && nearer)) best = i;
  }
  return best;
}

GridEnd end_of(const std::vector<double>& factors, std::size_t best) {
  if (factors.size() < 2) return GridEnd::inside;
  return best == 0                    ? GridEnd::smallest
         : best + 1 == factors.size() ? GridEnd::largest
                                      : GridEnd::inside;
}

std::vector<double> next_factors(const std::vector<double>& factors,
                                 const std::vector<TriedValues>& arms, bool lower_is_better) {
  const std::size_t count = factors.size();
  if (count < 2 || count >= kMostRates) return {};
  std::int64_t below = 0, above = 0;
  for (const TriedValues& values : arms) {
    const auto best = best_of(factors, values, lower_is_better);
    if (!best) continue;
    const GridEnd end = end_of(factors, *best);
    below += end == GridEnd::smallest ? 1 : 0;
    above += end == GridEnd::largest ? 1 : 0;
  }
  const bool one_left = count + 1 == kMostRates;
  const bool grow_below = below > 0 && (!one_left || below > above),
             grow_above = above > 0 && (!one_left || !grow_below);
  std::vector<double> more;
  if (grow_below) more.push_back(three_digits(factors[0] * (factors[0] / factors[1])));
  if (grow_above)
    more.push_back(three_digits(factors[count - 1] * (factors[count - 1] / factors[count - 2])));
  return more;
}

std::optional<TriedValues> tried_values(const Plan& plan, const CompareFolder& folder,
                                        std::size_t cell, const std::vector<double>& factors) {
  const Metric metric = tuning_metric(plan.task(plan.cells[cell]).metric);
  TriedValues values;
  for (const double factor : factors) {
    double sum = 0;
    for (const std::int64_t seed : plan.tuning_seeds) {
      const RunResult tried =
          checked_result(plan, folder.try_job(plan, cell, factor, seed), metric);
      if (tried.status == Status::missing) return std::nullopt;
      sum += tried.value;  // NaN of one that failed
    }
    values.push_back(sum / static_cast<double>(plan.tuning_seeds.size()));
  }
  return values;
}

Grid grid_of(const Plan& plan, const CompareFolder& folder, std::size_t task) {
  Grid grid{.factors = plan.suite.lr_factors};
  std::sort(grid.factors.begin(), grid.factors.end());
  if (!plan.tunes()) {
    grid.decided = true;
    return grid;
  }
  while (true) {
    std::vector<TriedValues> arms;
    for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
      if (plan.cells[cell].task != task) continue;
      const auto values = tried_values(plan, folder, cell, grid.factors);
      if (!values) return grid;
      arms.push_back(*values);
    }
    const std::vector<double> more = next_factors(
        grid.factors, arms, tuning_metric(plan.suite.tasks[task].metric).lower_is_better);
    if (more.empty()) break;
    grid.factors.insert(grid.factors.end(), more.begin(), more.end());
    std::sort(grid.factors.begin(), grid.factors.end());
  }
  grid.decided = true;
  return grid;
}

std::optional<double> best_factor(const Plan& plan, const CompareFolder& folder, std::size_t cell,
                                  const Grid& grid) {
  if (!grid.decided) return std::nullopt;
  if (!plan.tunes()) return grid.factors.front();
  const auto values = tried_values(plan, folder, cell, grid.factors);
  if (!values) return std::nullopt;
  const auto best = best_of(grid.factors, *values,
                            tuning_metric(plan.task(plan.cells[cell]).metric).lower_is_better);
  if (!best) return std::nullopt;
  return grid.factors[*best];
}

}  // namespace weft::compare
