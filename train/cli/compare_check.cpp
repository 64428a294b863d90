#include "train/cli/compare_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/phase.h"
#include "train/cli/progress.h"
#include "train/compare/grid.h"
#include "train/compare/preview.h"
#include "train/config/block_options.h"

namespace weft::cli {
namespace {

std::string with_commas(double count) {
  std::string text = fmt::format("{:.0f}", count);
  for (auto place = std::ssize(text) - 3; place > 0; place -= 3)
    text.insert(static_cast<std::size_t>(place), ",");
  return text;
}

/// "3.94 T".
std::string in_units(double count) {
  const char* const units[] = {"", " k", " M", " G", " T", " P", " E"};
  std::size_t unit = 0;
  for (; count >= 999.5 && unit + 1 < std::size(units); ++unit) count /= 1000;
  return fmt::format("{:.3g}{}", count, units[unit]);
}

std::string seconds_text(double seconds) {
  return seconds < 100 ? fmt::format("{:.2g} s", seconds) : clock_text(seconds);
}

std::string counted(std::int64_t count, const char* word) {
  return fmt::format("{} {}{}", with_commas(static_cast<double>(count)), word,
                     count == 1 ? "" : "s");
}

/// Rows of columns, the first to the left, the others to the right.
std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = fmt::format("  {:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) line += fmt::format("  {:>{}}", row[i], widths[i]);
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
  }
  return text;
}

std::string budget_text(const compare::Budget& budget) {
  if (budget.equal == compare::Equal::none)
    return "unequal = true: nothing is equal but the data, and every figure will be labeled so";
  std::string text = fmt::format("equal {}", compare::name(budget.equal));
  if (budget.amount) text += fmt::format(", {}", with_commas(*budget.amount));
  if (!budget.reference.empty()) text += ", those of " + budget.reference;
  if (budget.equal != compare::Equal::steps)
    text += fmt::format(", within {:.3g} %", 100 * budget.tolerance);
  if (budget.equal == compare::Equal::seconds)
    text += "; the steps below are replaced by those that the measured pace allows";
  return text;
}

}  // namespace

PlanCheck::PlanCheck(compare::Plan checked) : plan(std::move(checked)) {
  const Phase phase("measuring a few steps of each arm");
  const compare::Budget& budget = plan.suite.budget;
  for (const compare::Cell& cell : plan.cells) {
    const bool given = budget.equal == compare::Equal::seconds && cell.equal;
    seconds.push_back(given ? *budget.amount
                            : compare::measure_step(plan, cell) * static_cast<double>(cell.steps));
  }
}

double PlanCheck::all_seconds() const {
  double all = 0;
  for (const double one : seconds) all += one;
  const double tries =
      plan.tunes() ? static_cast<double>(plan.suite.lr_factors.size() * plan.tuning_seeds.size())
                   : 0;
  return all * (static_cast<double>(plan.suite.seeds.size()) + tries);
}

std::string PlanCheck::text() const {
  const compare::Suite& suite = plan.suite;
  std::string text = fmt::format("{}: {}, {}; nothing was run\n", suite.file,
                                 counted(plan.runs(), "run"), budget_text(suite.budget));
  if (plan.tunes())
    text += fmt::format(
        "{} that try {} learning rates with {} each; where the best is the first or the last, all "
        "arms of the task try more, up to {}\n",
        counted(plan.tries(), "run"), suite.lr_factors.size(),
        counted(std::ssize(plan.tuning_seeds), "seed"), compare::kMostRates);
  if (suite.looks.size() > 1)
    text += fmt::format("looks at {} seeds, which share alpha = {}\n", fmt::join(suite.looks, ", "),
                        suite.alpha);
  for (std::size_t task = 0; task < suite.tasks.size(); ++task) {
    text += fmt::format("\n{} ({})\n", suite.tasks[task].name, suite.tasks[task].metric.name);
    std::vector<std::vector<std::string>> rows{
        {"arm", "width", "parameters", "steps", "training FLOPs", "about", ""}};
    for (std::size_t i = 0; i < plan.cells.size(); ++i) {
      const compare::Cell& cell = plan.cells[i];
      if (cell.task != task) continue;
      const std::int64_t width = train::width_of(*cell.config);
      rows.push_back({plan.arm(cell).name, width > 0 ? std::to_string(width) : "-",
                      with_commas(cell.parameters), with_commas(static_cast<double>(cell.steps)),
                      in_units(cell.training_flops), seconds_text(seconds[i]),
                      plan.arm(cell).unequal ? "unequal" : ""});
    }
    text += columns(rows);
    std::string unequal;
    for (const compare::Unequal& one : compare::unequal_figures(plan, task, seconds))
      unequal +=
          fmt::format("{}{} ({} of {}, {} of {})", unequal.empty() ? "  unequal: " : ", ", one.what,
                      in_units(one.most), one.most_arm, in_units(one.least), one.least_arm);
    text += unequal.empty() ? "  equal in parameters, FLOPs, steps and seconds within 1 %\n"
                            : unequal + "\n";
  }
  return text + fmt::format(
                    "\nabout {} of training in all, on one thread; evaluations and larger "
                    "grids come on top\n",
                    clock_text(all_seconds()));
}

nlohmann::ordered_json PlanCheck::json() const {
  nlohmann::ordered_json all{{"suite", plan.suite.name},
                             {"runs", plan.runs()},
                             {"tries", plan.tries()},
                             {"seconds", all_seconds()},
                             {"cells", nlohmann::ordered_json::array()},
                             {"unequal", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const compare::Cell& cell = plan.cells[i];
    all["cells"].push_back({{"task", plan.task(cell).name},
                            {"arm", plan.arm(cell).name},
                            {"equal", cell.equal},
                            {"width", train::width_of(*cell.config)},
                            {"parameters", cell.parameters},
                            {"steps", cell.steps},
                            {"training_flops", cell.training_flops},
                            {"seconds", seconds[i]}});
  }
  for (std::size_t task = 0; task < plan.suite.tasks.size(); ++task)
    for (const compare::Unequal& one : compare::unequal_figures(plan, task, seconds))
      all["unequal"].push_back({{"task", plan.suite.tasks[task].name},
                                {"figure", one.what},
                                {"least", one.least},
                                {"least_arm", one.least_arm},
                                {"most", one.most},
                                {"most_arm", one.most_arm}});
  return all;
}

}  // namespace weft::cli
