#include "train/compare/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "data/split.h"
#include "train/compare/grid.h"
#include "train/compare/rows.h"
#include "train/config/block_options.h"

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

bool is_done(const ResultRun& run) { return run.status == name(Status::done); }

Curve mean_curve(const std::vector<ResultRun>& runs, const std::string& figure) {
  Curve result{.figure = figure};
  std::map<std::int64_t, std::vector<double>> by_step;
  std::size_t count = 0;
  for (const ResultRun& run : runs) {
    if (!is_done(run)) continue;
    ++count;
    for (const auto& [step, value] : read_curve(run.folder, figure)) by_step[step].push_back(value);
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

ResultRun read_run(const Plan& plan, const Job& job, const Metric& metric) {
  const RunResult found = checked_result(plan, job, metric);
  return {.seed = job.seed,
          .status = std::string(name(found.status)),
          .value = found.value,
          .seconds = found.seconds,
          .train_seconds = found.train_seconds,
          .peak_mib = found.peak_mib,
          .error = found.error,
          .folder = job.folder.string(),
          .command = fmt::format("weft train {} --config {} --seed {} --threads 1 --out {}",
                                 plan.kind->name(), quoted(job.config.string()), job.seed,
                                 quoted(job.folder.string()))};
}

/// The learning rates that a cell tried, and the best of them.
void read_tries(const Plan& plan, const CompareFolder& folder, const Grid& grid, std::size_t index,
                ResultCell& result) {
  const Cell& cell = plan.cells[index];
  const auto best = best_factor(plan, folder, index, grid);
  result.lr = best ? cell.config->lr * *best : kNone;
  if (!plan.tunes()) return;
  for (const double factor : grid.factors) {
    const auto values = tried_values(plan, folder, index, {factor});
    result.tried.push_back({factor, cell.config->lr * factor, values ? values->front() : kNone});
    if (best && factor == *best)
      result.grid_end = name(end_of(grid.factors, result.tried.size() - 1));
  }
}

/// Whether a cell spent what the budget gives it; one in seconds is known afterwards only.
bool kept_budget(const Plan& plan, const ResultCell& cell) {
  const Budget& budget = plan.suite.budget;
  if (!cell.equal || budget.equal != Equal::seconds || !std::isfinite(cell.train_seconds))
    return cell.equal;
  return std::abs(cell.train_seconds - *budget.amount) <= budget.tolerance * *budget.amount;
}

ResultCell read_cell(const Plan& plan, const CompareFolder& folder, const Grid& grid,
                     std::size_t index) {
  const Cell& cell = plan.cells[index];
  const Metric& metric = plan.task(cell).metric;
  ResultCell result{.task = cell.task,
                    .arm = cell.arm,
                    .equal = cell.equal,
                    .parameters = cell.parameters,
                    .forward_flops = cell.forward_flops,
                    .training_flops = cell.training_flops,
                    .steps = static_cast<double>(cell.steps),
                    .width = static_cast<double>(train::width_of(*cell.config))};
  double seconds = 0, train_seconds = 0;
  std::vector<double> finished;
  for (const std::int64_t seed : plan.suite.seeds) {
    const ResultRun& run =
        result.runs.emplace_back(read_run(plan, folder.seed_job(plan, index, seed), metric));
    if (run.status == name(Status::failed)) ++result.failed;
    result.values.push_back(is_done(run) ? run.value : kNone);
    if (!is_done(run)) continue;
    finished.push_back(run.value);
    seconds += run.seconds;
    train_seconds += run.train_seconds;
    result.peak_mib = std::max(result.peak_mib, run.peak_mib);
  }
  const Estimate found = estimate(finished, {.alpha = plan.suite.alpha});
  result.mean = found.mean;
  result.deviation = found.deviation;
  result.low = found.interval.low;
  result.high = found.interval.high;
  if (!finished.empty()) {
    result.seconds = seconds / static_cast<double>(finished.size());
    result.train_seconds = train_seconds / static_cast<double>(finished.size());
  }
  result.equal = kept_budget(plan, result);
  read_tries(plan, folder, grid, index, result);
  result.curve = mean_curve(result.runs, tuning_metric(plan.task(cell).metric).name);
  return result;
}

/// The hash chains of all arms, as far as the shortest goes, must be one.
Pairing pair_runs(const Results& results, std::size_t task, std::size_t seed) {
  Pairing pairing{.seed = results.seeds[seed]};
  std::map<std::int64_t, std::string> first;
  for (const ResultCell& cell : results.cells) {
    if (cell.task != task || !is_done(cell.runs[seed])) continue;
    std::map<std::int64_t, std::string> chain = batch_hashes(cell.runs[seed].folder);
    if (chain.empty()) continue;
    if (pairing.runs++ == 0) {
      first = std::move(chain);
      continue;
    }
    const std::int64_t common = std::min(first.rbegin()->first, chain.rbegin()->first);
    if (!first.contains(common) || !chain.contains(common) || first[common] != chain[common]) {
      pairing.equal = false;
      pairing.mismatched_arm = results.arms[cell.arm].name;
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

void judge_contrasts(const Plan& plan, Results& results) {
  std::vector<Comparison> all;
  for (const Contrast& contrast : plan.suite.contrasts) {
    const ResultCell& a = results.cells[plan.find(contrast.task, contrast.a).value()];
    const ResultCell& b = results.cells[plan.find(contrast.task, contrast.b).value()];
    const ResultTask& task = results.tasks[a.task];
    Comparison compared{.a = a.values,
                        .b = b.values,
                        .lower_is_better = task.lower_is_better,
                        .margin = task.margin};
    for (std::size_t k = 0; k < task.pairing.size(); ++k) {
      if (!task.pairing[k].equal)
        compared.a[k] = compared.b[k] = kNone;  // not paired: no figure of a comparison
    }
    ResultContrast result{.task = a.task,
                          .statement = {.task = contrast.task,
                                        .a = contrast.a,
                                        .b = contrast.b,
                                        .metric = task.metric,
                                        .lower_is_better = task.lower_is_better,
                                        .margin = task.margin,
                                        .alpha = plan.suite.alpha,
                                        .expected = contrast.expected},
                          .question = contrast.question,
                          .expectation = contrast.expectation};
    for (std::size_t k = 0; k < compared.a.size(); ++k)
      result.differences.push_back(compared.a[k] - compared.b[k]);
    all.push_back(std::move(compared));
    results.contrasts.push_back(std::move(result));
  }
  const std::vector<Finding> findings =
      judge(all, {.alpha = plan.suite.alpha, .looks = plan.suite.looks});
  for (std::size_t i = 0; i < findings.size(); ++i)
    results.contrasts[i].statement.finding = findings[i];
}

/// Intervals over seeds and test rows, of the cells and of the contrasts.
void add_rows(const Plan& plan, const CompareFolder& folder, Results& results) {
  const double confidence = 1 - plan.suite.alpha;
  std::vector<RowValues> rows;
  for (std::size_t i = 0; i < results.cells.size(); ++i) {
    ResultCell& cell = results.cells[i];
    rows.push_back(read_rows(plan, folder, i));
    ResultTask& task = results.tasks[cell.task];
    task.test_rows = std::max(task.test_rows, rows.back().rows);
    task.fresh_test = plan.kind->tests_afresh(*plan.cells[i].config);
    cell.with_rows = interval_with_rows(cell.mean, {cell.low, cell.high}, rows.back(), confidence);
  }
  for (ResultContrast& contrast : results.contrasts) {
    Statement& statement = contrast.statement;
    const Estimate& found = statement.finding.difference;
    describe_arms(results, contrast);
    statement.with_rows = interval_with_rows(
        found.mean, found.interval, rows[plan.find(statement.task, statement.a).value()],
        rows[plan.find(statement.task, statement.b).value()], confidence);
  }
}

void explore_pairs(const Plan& plan, Results& results) {
  for (std::size_t i = 0; i < results.cells.size(); ++i) {
    const ResultCell& a = results.cells[i];
    const ResultTask& task = results.tasks[a.task];
    const std::string& first = results.arms[a.arm].name;
    for (std::size_t j = i + 1; j < results.cells.size() && results.cells[j].task == a.task; ++j) {
      const ResultCell& b = results.cells[j];
      const std::string& second = results.arms[b.arm].name;
      const bool declared = std::any_of(
          plan.suite.contrasts.begin(), plan.suite.contrasts.end(), [&](const Contrast& c) {
            return c.task == task.name &&
                   ((c.a == first && c.b == second) || (c.a == second && c.b == first));
          });
      if (declared) continue;
      const Estimate difference =
          explore({.a = a.values, .b = b.values, .lower_is_better = task.lower_is_better},
                  {.alpha = plan.suite.alpha});
      results.exploratory.push_back({.task = a.task,
                                     .a = first,
                                     .b = second,
                                     .difference = difference.mean,
                                     .low = difference.interval.low,
                                     .high = difference.interval.high,
                                     .seeds = difference.seeds});
    }
  }
}

/// A placebo that is called better or worse than the arm that it is tells of the suite.
void check_placebos(const Plan& plan, Results& results) {
  for (const ResultContrast& contrast : results.contrasts) {
    const Statement& statement = contrast.statement;
    const Task& task = plan.suite.task(statement.task);
    for (const auto& [one, other] :
         {std::pair{&statement.a, &statement.b}, {&statement.b, &statement.a}}) {
      const Arm& arm = plan.suite.arm(*one);
      if (!arm.placebo) continue;
      const Arm* const original = original_of(plan.suite, task, arm);
      if (original == nullptr || original->name != *other) continue;
      const Finding& finding = statement.finding;
      results.controls.push_back({.task = statement.task,
                                  .arm = *one,
                                  .metric = statement.metric,
                                  .expect = Expect::placebo,
                                  .limit = 0,
                                  .mean = finding.difference.mean,
                                  .holds = finding.failed == 0 &&
                                           finding.verdict != Verdict::better &&
                                           finding.verdict != Verdict::worse,
                                  .lacking = finding.failed,
                                  .runs = std::ssize(contrast.differences),
                                  .against = *other});
    }
  }
}

void check_controls(const Plan& plan, Results& results) {
  for (const Control& control : plan.suite.controls) {
    for (const std::string& task_name : control.tasks) {
      const Task& task = plan.suite.task(task_name);
      for (const std::string& arm : control.arms) {
        const auto index = plan.find(task_name, arm);
        if (!index) continue;
        const ResultCell& cell = results.cells[*index];
        const std::int64_t lacking = std::count_if(cell.values.begin(), cell.values.end(),
                                                   [](double v) { return !std::isfinite(v); });
        results.controls.push_back(
            {.task = task_name,
             .arm = arm,
             .metric = task.metric.name,
             .expect = control.expect,
             .limit = control.expect == Expect::chance ? task.chance.value() : task.ceiling.value(),
             .within = control.within,
             .mean = cell.mean,
             .holds = lacking == 0 && holds(control, task, cell.mean),
             .lacking = lacking,
             .runs = std::ssize(cell.values)});
      }
    }
  }
  check_placebos(plan, results);
}

std::string hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return data::hash_text(hash);
}

/// What was asked, without what was found.
Results of_suite(const Plan& plan) {
  const Suite& suite = plan.suite;
  Results results{.suite = suite.name,
                  .kind = suite.kind,
                  .question = suite.question,
                  .seeds = suite.seeds,
                  .alpha = suite.alpha,
                  .runs_wanted = plan.runs(),
                  .equal = std::string(name(suite.budget.equal)),
                  .reference = suite.budget.reference,
                  .amount = suite.budget.amount.value_or(kNone),
                  .tolerance = suite.budget.tolerance,
                  .lr_factors = suite.lr_factors,
                  .tuning_seeds = plan.tunes() ? plan.tuning_seeds : std::vector<std::int64_t>(),
                  .looks = suite.looks};
  for (const Task& task : suite.tasks)
    results.tasks.push_back({.name = task.name,
                             .about = task.about,
                             .metric = task.metric.name,
                             .lower_is_better = task.metric.lower_is_better,
                             .margin = task.margin,
                             .chance = task.chance.value_or(kNone),
                             .ceiling = task.ceiling.value_or(kNone),
                             .base = task.base,
                             .multiple = task.multiple,
                             .solved = task.solved.value_or(kNone)});
  for (const Arm& arm : suite.arms) {
    ResultArm& one = results.arms.emplace_back(
        ResultArm{.name = arm.name, .about = arm.about, .unequal = !is_equal(suite, arm)});
    for (const train::Choice& choice : arm.choices)
      one.choices.emplace_back(choice.name, choice.value);
  }
  return results;
}

}  // namespace

Results collect(const Plan& plan, const CompareFolder& folder, bool quick) {
  Results results = of_suite(plan);
  results.quick = quick;
  results.looked = folder.looks();
  results.suite_hash = hash_of(plan.suite.text);
  if (results.looks.empty() && results.looked.size() > 1)
    results.looks = {std::ssize(plan.suite.seeds)};  // what was declared, against what was had
  std::vector<Grid> grids;
  for (std::size_t task = 0; task < plan.suite.tasks.size(); ++task)
    grids.push_back(grid_of(plan, folder, task));
  for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
    results.cells.push_back(read_cell(plan, folder, grids[plan.cells[cell].task], cell));
    for (const ResultRun& run : results.cells.back().runs) {
      if (run.status != name(Status::missing)) ++results.runs_done;
      if (run.status == name(Status::failed)) ++results.runs_failed;
    }
  }
  results.index_cells();
  results.complete = results.runs_done == results.runs_wanted;
  for (std::size_t task = 0; task < results.tasks.size(); ++task)
    for (std::size_t seed = 0; seed < results.seeds.size(); ++seed)
      results.tasks[task].pairing.push_back(pair_runs(results, task, seed));
  judge_contrasts(plan, results);
  add_rows(plan, folder, results);
  compare_budgets(results);
  explore_pairs(plan, results);
  check_controls(plan, results);
  return results;
}

}  // namespace weft::compare
