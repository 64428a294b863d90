#include "train/compare/rows.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "train/loop/predictions.h"
#include "train/metrics/prediction_figures.h"

namespace weft::compare {
namespace {

/// "accuracy" for "test_accuracy".
std::string figure_name(const std::string& metric) {
  return metric.starts_with("test_") ? metric.substr(5) : metric;
}

Interval over(double mean, const Interval& by_seeds, const std::vector<std::vector<double>>& values,
              double confidence) {
  const bool same_rows =
      values.size() >= 2 && std::all_of(values.begin(), values.end(), [&](const auto& one) {
        return one.size() >= 2 && one.size() == values.front().size();
      });
  if (!same_rows || !std::isfinite(mean)) return kNoInterval;
  return seeds_and_rows_interval(mean, by_seeds, variance_parts(values), confidence);
}

}  // namespace

RowValues read_rows(const Plan& plan, const CompareFolder& folder, std::size_t index) {
  RowValues values;
  const Cell& cell = plan.cells[index];
  if (plan.kind->tests_afresh(*cell.config)) return values;
  const Metric& metric = plan.task(cell).metric;
  for (const std::int64_t seed : plan.suite.seeds) {
    std::vector<double>& own = values.of_seed.emplace_back();
    const Job job = folder.seed_job(plan, index, seed);
    const fs::path file = train::predictions_file(job.folder);
    std::error_code error;
    if (checked_result(plan, job, metric).status != Status::done || !fs::exists(file, error))
      continue;
    const train::Predictions predictions = train::read_predictions(file);
    own = train::row_pseudo_values(predictions, figure_name(metric.name));
    values.rows = static_cast<std::int64_t>(train::count_rows(predictions));
  }
  return values;
}

Interval interval_with_rows(double mean, const Interval& by_seeds, const RowValues& rows,
                            double confidence) {
  std::vector<std::vector<double>> known;
  for (const auto& one : rows.of_seed)
    if (!one.empty()) known.push_back(one);
  return over(mean, by_seeds, known, confidence);
}

Interval interval_with_rows(double mean, const Interval& by_seeds, const RowValues& a,
                            const RowValues& b, double confidence) {
  std::vector<std::vector<double>> known;
  for (std::size_t k = 0; k < std::min(a.of_seed.size(), b.of_seed.size()); ++k) {
    if (a.of_seed[k].empty() || a.of_seed[k].size() != b.of_seed[k].size()) continue;
    known.push_back(paired_differences(a.of_seed[k], b.of_seed[k]));
  }
  return over(mean, by_seeds, known, confidence);
}

}  // namespace weft::compare
