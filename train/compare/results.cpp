#include "train/compare/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace weft::compare {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::map<std::int64_t, double> read_curve(const fs::path& run, const std::string& figure) {
  std::map<std::int64_t, double> curve;
  std::ifstream file(run / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    if (line.find(figure) == std::string::npos) continue;
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains(figure) || !json[figure].is_number()) continue;
    if (!json.contains("step") || !json["step"].is_number_integer()) continue;
    curve[json["step"].get<std::int64_t>()] = json[figure].get<double>();
  }
  return curve;
}

namespace {

Curve mean_curve(const std::vector<CellRun>& runs, const std::string& figure) {
  Curve result{.figure = figure};
  std::map<std::int64_t, std::vector<double>> by_step;
  std::size_t count = 0;
  for (const CellRun& run : runs) {
    if (run.result.status != Status::done) continue;
    ++count;
    for (const auto& [step, value] : read_curve(run.job.folder, figure))
      by_step[step].push_back(value);
  }
  for (const auto& [step, values] : by_step) {
    if (values.size() != count) continue;
    result.steps.push_back(step);
    result.mean.push_back(mean(values));
    result.low.push_back(*std::min_element(values.begin(), values.end()));
    result.high.push_back(*std::max_element(values.begin(), values.end()));
  }
  return result;
}

std::string quoted(const std::string& word) {
  const bool plain_word =
      !word.empty() &&
      word.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=:+,") ==
          std::string::npos;
  if (plain_word) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

CellResult read_cell(const Plan& plan, const CompareFolder& folder, std::size_t index) {
  CellResult result{.cell = plan.cells[index]};
  const Metric& metric = plan.task(result.cell).metric;
  double seconds = 0;
  std::vector<double> values;
  for (const std::int64_t seed : plan.suite.seeds) {
    const Job job = folder.seed_job(plan, index, seed);
    CellRun run{.job = job, .result = read_result(job, metric.name)};
    run.command =
        fmt::format("weft train {} --config {} --seed {} --threads 1 --out {}", plan.kind->name(),
                    quoted(job.config.string()), seed, quoted(job.folder.string()));
    if (run.result.status == Status::failed) ++result.failed;
    if (run.result.status == Status::done) {
      values.push_back(run.result.value);
      seconds += run.result.seconds;
      result.peak_mib = std::max(result.peak_mib, run.result.peak_mib);
    }
    result.runs.push_back(std::move(run));
  }
  result.estimate = estimate(values, {.alpha = plan.suite.alpha});
  if (!values.empty()) result.seconds = seconds / static_cast<double>(values.size());
  const auto best = best_factor(plan, folder, index);
  result.lr = best ? result.cell.config->lr * *best : kNone;
  if (plan.suite.lr_factors.size() > 1) {
    for (const double factor : plan.suite.lr_factors) {
      const RunResult tried =
          read_result(folder.try_job(plan, index, factor), validation_metric(metric.name));
      result.tries.push_back({factor, result.cell.config->lr * factor,
                              tried.status == Status::done ? tried.value : kNone});
    }
  }
  result.curve = mean_curve(result.runs, validation_metric(metric.name));
  return result;
}

/// The hash chains of all arms, as far as the shortest goes, must be one.
Pairing pair_runs(const Results& results, std::size_t task, std::size_t seed) {
  Pairing pairing{.seed = results.plan->suite.seeds[seed]};
  std::map<std::int64_t, std::string> first;
  for (const CellResult& cell : results.cells) {
    if (cell.cell.task != task || cell.runs[seed].result.status != Status::done) continue;
    std::map<std::int64_t, std::string> chain = batch_hashes(cell.runs[seed].job.folder);
    if (chain.empty()) continue;
    if (pairing.runs++ == 0) {
      first = std::move(chain);
      continue;
    }
    const std::int64_t common = std::min(first.rbegin()->first, chain.rbegin()->first);
    if (!first.contains(common) || !chain.contains(common) || first[common] != chain[common]) {
      pairing.equal = false;
      pairing.mismatched_arm = results.plan->arm(cell.cell).name;
      continue;
    }
    first.erase(first.upper_bound(common), first.end());
  }
  if (!first.empty()) {
    pairing.steps = first.rbegin()->first;
    pairing.hash = first.rbegin()->second;
  }
  return pairing;
}

void judge_contrasts(Results& results) {
  const Plan& plan = *results.plan;
  for (const Contrast& contrast : plan.suite.contrasts) {
    const CellResult& a = results.cells[plan.find(contrast.task, contrast.a).value()];
    const CellResult& b = results.cells[plan.find(contrast.task, contrast.b).value()];
    const Task& task = plan.suite.task(contrast.task);
    Comparison compared{.a = a.values(),
                        .b = b.values(),
                        .lower_is_better = task.metric.lower_is_better,
                        .margin = task.margin};
    const auto& pairings = results.pairings[a.cell.task];
    for (std::size_t k = 0; k < pairings.size(); ++k) {
      if (!pairings[k].equal)
        compared.a[k] = compared.b[k] = kNone;  // not paired: no figure of a comparison
    }
    results.compared.push_back(std::move(compared));
    results.contrasts.push_back({.task = contrast.task,
                                 .a = contrast.a,
                                 .b = contrast.b,
                                 .metric = task.metric.name,
                                 .lower_is_better = task.metric.lower_is_better,
                                 .margin = task.margin,
                                 .alpha = plan.suite.alpha,
                                 .unequal = !a.cell.equal || !b.cell.equal,
                                 .expected = contrast.expected});
  }
  const std::vector<Finding> findings = judge(results.compared, {.alpha = plan.suite.alpha});
  for (std::size_t i = 0; i < findings.size(); ++i) results.contrasts[i].finding = findings[i];
}

void explore_pairs(Results& results) {
  const Plan& plan = *results.plan;
  for (std::size_t a = 0; a < results.cells.size(); ++a) {
    for (std::size_t b = a + 1;
         b < results.cells.size() && results.cells[b].cell.task == results.cells[a].cell.task;
         ++b) {
      const std::string& task = plan.task(results.cells[a].cell).name;
      const std::string& first = plan.arm(results.cells[a].cell).name;
      const std::string& second = plan.arm(results.cells[b].cell).name;
      const bool declared = std::any_of(
          plan.suite.contrasts.begin(), plan.suite.contrasts.end(), [&](const Contrast& c) {
            return c.task == task &&
                   ((c.a == first && c.b == second) || (c.a == second && c.b == first));
          });
      if (declared) continue;
      const Metric& metric = plan.suite.task(task).metric;
      results.exploratory.push_back({a, b,
                                     explore({.a = results.cells[a].values(),
                                              .b = results.cells[b].values(),
                                              .lower_is_better = metric.lower_is_better},
                                             {.alpha = plan.suite.alpha, .resamples = 2000})});
    }
  }
}

void check_suite_controls(Results& results) {
  const Plan& plan = *results.plan;
  for (const Control& control : plan.suite.controls) {
    std::vector<ControlStatement> statements;
    for (const std::string& task_name : control.tasks) {
      const Task& task = plan.suite.task(task_name);
      for (const std::string& arm : control.arms) {
        const auto index = plan.find(task_name, arm);
        if (!index) continue;
        const double mean = results.cells[*index].estimate.mean;
        statements.push_back(
            {.task = task_name,
             .arm = arm,
             .metric = task.metric.name,
             .expect = control.expect,
             .limit = control.expect == Expect::chance ? task.chance.value() : task.ceiling.value(),
             .within = control.within,
             .mean = mean,
             .holds = holds(control, task, mean)});
      }
    }
    results.controls.push_back(std::move(statements));
  }
}

}  // namespace

std::vector<double> CellResult::values() const {
  std::vector<double> values;
  for (const CellRun& run : runs)
    values.push_back(run.result.status == Status::done ? run.result.value : kNone);
  return values;
}

Results collect(const Plan& plan, const CompareFolder& folder, bool quick) {
  Results results{.plan = &plan, .quick = quick};
  for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
    results.cells.push_back(read_cell(plan, folder, cell));
    for (const CellRun& run : results.cells.back().runs) {
      if (run.result.status != Status::missing) ++results.done;
      if (run.result.status == Status::failed) ++results.failed;
    }
  }
  results.complete = results.done == plan.runs();
  for (std::size_t task = 0; task < plan.suite.tasks.size(); ++task) {
    std::vector<Pairing> pairings;
    for (std::size_t seed = 0; seed < plan.suite.seeds.size(); ++seed)
      pairings.push_back(pair_runs(results, task, seed));
    results.pairings.push_back(std::move(pairings));
  }
  judge_contrasts(results);
  explore_pairs(results);
  check_suite_controls(results);
  return results;
}

std::string pairing_error(const Results& results) {
  for (std::size_t task = 0; task < results.pairings.size(); ++task) {
    for (const Pairing& pairing : results.pairings[task]) {
      if (pairing.equal) continue;
      return fmt::format(
          "[compare] the arms did not see the same batches: task {}, seed {}, arm {}; no contrast "
          "of this task is decided",
          results.plan->suite.tasks[task].name, pairing.seed, pairing.mismatched_arm);
    }
  }
  return "";
}

}  // namespace weft::compare
