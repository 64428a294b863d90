// Single runs on the report: a dot for each in the matrix, and each figure in a table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/compare/spread.h"
#include "train/report/compare_parts.h"

namespace weft::report::page {
namespace {

constexpr double kStripWidth = 84, kStripHeight = 12, kDot = 2.2;

/// The least and the largest figure of a task, with chance and the ceiling where they are known.
std::pair<double, double> range_of(const Results& results, std::size_t task) {
  double low = INFINITY, high = -INFINITY;
  const auto take = [&](double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  };
  take(results.tasks[task].chance);
  take(results.tasks[task].ceiling);
  for (const compare::ResultCell& cell : results.cells)
    if (cell.task == task)
      for (const double value : cell.values) take(value);
  return {low, high};
}

}  // namespace

std::string seed_dots(const Results& results, const compare::ResultCell& cell) {
  const auto [low, high] = range_of(results, cell.task);
  if (!(high > low)) return "";
  std::string dots;
  const auto place = [&, low = low, high = high](double value) {
    return kDot + (kStripWidth - 2 * kDot) * (value - low) / (high - low);
  };
  std::size_t count = 0;
  for (const double value : cell.values) {
    if (!std::isfinite(value)) continue;
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>", place(value),
                        kStripHeight / 2, kDot);
    ++count;
  }
  if (count == 0) return "";
  const Phrase label{fmt::format("figures of {} seed{}", count, count == 1 ? "" : "s"),
                     fmt::format("{} 个种子的结果", count)};
  return fmt::format(
      "<svg class=\"seeds\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "{2}><line x1=\"0\" x2=\"{0}\" y1=\"{3}\" y2=\"{3}\"/>{4}</svg>",
      kStripWidth, kStripHeight, both_attribute("aria-label", label), kStripHeight / 2, dots);
}

std::string solved_note(const Results& results, const compare::ResultCell& cell) {
  const compare::RunSpread spread = compare::spread_of(results, cell);
  std::string html;
  const auto percent = [](double share) { return fmt::format("{:.0f}", 100 * share); };
  if (std::isfinite(spread.share.low)) {
    const bool all = spread.solved == spread.runs;
    html += "<small>" +
            both(fmt::format("{} of {} solved, {}", spread.solved, spread.runs,
                             all ? fmt::format("up to {} % may fail", percent(spread.not_excluded))
                                 : fmt::format("{} to {} %", percent(spread.share.low),
                                               percent(spread.share.high))),
                 fmt::format("{} 次中 {} 次解出，{}", spread.runs, spread.solved,
                             all ? fmt::format("失败率可达 {}%", percent(spread.not_excluded))
                                 : fmt::format("{}% 至 {}%", percent(spread.share.low),
                                               percent(spread.share.high)))) +
            "</small>";
  }
  if (spread.split)
    html += "<small class=\"failed\">" +
            both("the mean describes no run", "平均值不代表任何一次运行") + "</small>";
  return html;
}

std::string every_seed(const Results& results) {
  constexpr std::size_t kMostSeeds = 100;
  if (results.seeds.size() > kMostSeeds) return "";
  std::string html;
  for (std::size_t task = 0; task < results.tasks.size(); ++task) {
    const Phrase metric = compare::metric_words(results.tasks[task].metric);
    Table table{.id = fmt::format("seeds-{}", task),
                .caption = both(fmt::format("{} of each seed, on test data.", metric.en),
                                fmt::format("各种子在测试数据上的{}。", metric.zh)),
                .columns = {both("Arm", "方案")},
                .rows = {},
                .classes = {}};
    for (const std::int64_t seed : results.seeds)
      table.columns.push_back(both("Seed ", "种子 ") + std::to_string(seed));
    const int decimals = task_decimals(results, task);
    for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
      const compare::ResultCell* const cell = results.cell(task, arm);
      if (cell == nullptr) continue;
      std::vector<std::string> row{row_head(code(results.arms[arm].name))};
      for (const double value : cell->values) row.push_back(cell_number(shown(value, decimals)));
      table.rows.push_back(std::move(row));
    }
    if (!table.rows.empty())
      html += folded(both("Every seed on ", "每个种子：") + code(results.tasks[task].name),
                     to_html(table));
  }
  return html;
}

}  // namespace weft::report::page
