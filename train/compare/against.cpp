#include "train/compare/against.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

namespace weft::compare {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

using RunKey = std::tuple<std::string, std::string, std::int64_t>;  // task, arm, seed

std::map<RunKey, double> figures_of(const Results& results) {
  std::map<RunKey, double> all;
  for (const ResultCell& cell : results.cells) {
    const ResultTask& task = results.tasks[cell.task];
    if (is_cost(task.metric)) continue;
    for (std::size_t k = 0; k < cell.values.size() && k < results.seeds.size(); ++k)
      all[{task.name, results.arms[cell.arm].name, results.seeds[k]}] = cell.values[k];
  }
  return all;
}

bool is_same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool overlap(const Interval& a, const Interval& b) { return a.low <= b.high && b.low <= a.high; }

}  // namespace

Reproduction compare_results(const Results& now, const Results& then) {
  Reproduction found;
  const auto say = [&](Agreement agreement, std::string text) {
    found.agreement = std::max(found.agreement, agreement);
    found.differences.push_back(std::move(text));
  };
  const auto here = figures_of(now), there = figures_of(then);
  std::int64_t other = 0, missing = 0;
  for (const auto& [key, value] : there) {
    const auto match = here.find(key);
    if (match == here.end())
      ++missing;
    else if (!is_same(value, match->second))
      ++other;
  }
  for (const auto& [key, value] : here) missing += there.contains(key) ? 0 : 1;
  if (missing > 0)
    say(Agreement::different, fmt::format("{} runs are of one of the two alone", missing));
  if (other > 0)
    say(Agreement::same_verdicts,
        fmt::format("{} of {} runs have other figures", other, there.size()));
  for (const ResultContrast& contrast : then.contrasts) {
    const Statement& s = contrast.statement;
    const auto match =
        std::find_if(now.contrasts.begin(), now.contrasts.end(), [&](const ResultContrast& one) {
          return one.statement.task == s.task && one.statement.a == s.a && one.statement.b == s.b;
        });
    const std::string name = fmt::format("{} against {} on {}", s.a, s.b, s.task);
    if (match == now.contrasts.end()) {
      say(Agreement::different, name + " is not asked any more");
      continue;
    }
    const Finding &was = s.finding, &is = match->statement.finding;
    if (was.verdict != is.verdict)
      say(Agreement::different, fmt::format("{} was {} and is {}", name, compare::name(was.verdict),
                                            compare::name(is.verdict)));
    else if (!is_cost(s.metric) && !overlap(was.difference.interval, is.difference.interval))
      say(Agreement::different,
          fmt::format("the intervals of {} do not overlap: {:.4g} to {:.4g}, {:.4g} to {:.4g}",
                      name, was.difference.interval.low, was.difference.interval.high,
                      is.difference.interval.low, is.difference.interval.high));
  }
  return found;
}

std::string results_without_machine(Results results) {
  results.cpu.clear();
  results.simd.clear();
  results.started.clear();
  results.seconds = kUnknown;
  results.cores = results.jobs = 0;
  for (ResultCell& cell : results.cells) {
    cell.seconds = cell.train_seconds = cell.peak_mib = kUnknown;
    for (ResultRun& run : cell.runs) {
      run.seconds = run.train_seconds = run.peak_mib = kUnknown;
      run.folder.clear();
      run.command.clear();
    }
  }
  return results_json(results);
}

}  // namespace weft::compare
