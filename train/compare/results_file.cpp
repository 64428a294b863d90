// results.json and results.csv.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "train/compare/results.h"

namespace weft::compare {
namespace {

using ResultsJson = nlohmann::ordered_json;

ResultsJson finite(double value) {
  return std::isfinite(value) ? ResultsJson(value) : ResultsJson(nullptr);
}
ResultsJson finite(const Interval& interval) {
  return ResultsJson::array({finite(interval.low), finite(interval.high)});
}
ResultsJson finite(const std::vector<double>& values) {
  ResultsJson json = ResultsJson::array();
  for (const double value : values) json.push_back(finite(value));
  return json;
}
ResultsJson both(const Phrase& phrase) { return {{"en", phrase.en}, {"zh", phrase.zh}}; }

ResultsJson choices_json(const std::vector<train::Choice>& choices) {
  ResultsJson json = ResultsJson::object();
  for (const train::Choice& choice : choices)
    std::visit([&](const auto& value) { json[choice.name] = value; }, choice.value);
  return json;
}

ResultsJson task_json(const Results& results, std::size_t index) {
  const Task& task = results.plan->suite.tasks[index];
  ResultsJson pairing = ResultsJson::array();
  for (const Pairing& p : results.pairings[index]) {
    pairing.push_back({{"seed", p.seed},
                       {"hash", p.hash},
                       {"runs", p.runs},
                       {"steps", p.steps},
                       {"equal", p.equal}});
  }
  return {{"name", task.name},
          {"about", both(task.about)},
          {"metric", task.metric.name},
          {"lower_is_better", task.metric.lower_is_better},
          {"margin", task.margin},
          {"chance", task.chance ? ResultsJson(*task.chance) : ResultsJson(nullptr)},
          {"ceiling", task.ceiling ? ResultsJson(*task.ceiling) : ResultsJson(nullptr)},
          {"pairing", pairing}};
}

ResultsJson cell_json(const Results& results, const CellResult& cell) {
  ResultsJson tried = ResultsJson::array(), runs = ResultsJson::array();
  for (const Try& one : cell.tries)
    tried.push_back({{"factor", one.factor}, {"lr", one.lr}, {"value", finite(one.value)}});
  for (const CellRun& run : cell.runs) {
    runs.push_back({{"seed", run.job.seed},
                    {"status", name(run.result.status)},
                    {"value", finite(run.result.value)},
                    {"seconds", finite(run.result.seconds)},
                    {"peak_mib", finite(run.result.peak_mib)},
                    {"error", run.result.error},
                    {"folder", run.job.folder.string()},
                    {"command", run.command}});
  }
  return {{"task", results.plan->task(cell.cell).name},
          {"arm", results.plan->arm(cell.cell).name},
          {"equal", cell.cell.equal},
          {"values", finite(cell.values())},
          {"failed", cell.failed},
          {"mean", finite(cell.estimate.mean)},
          {"deviation", finite(cell.estimate.deviation)},
          {"interval", finite(cell.estimate.interval)},
          {"parameters", cell.cell.parameters},
          {"forward_flops", cell.cell.forward_flops},
          {"training_flops", cell.cell.training_flops},
          {"seconds", finite(cell.seconds)},
          {"peak_mib", finite(cell.peak_mib)},
          {"steps", cell.cell.steps},
          {"width", cell.cell.config->width},
          {"lr", finite(cell.lr)},
          {"tried", tried},
          {"runs", runs},
          {"curve",
           {{"figure", cell.curve.figure},
            {"steps", cell.curve.steps},
            {"mean", finite(cell.curve.mean)},
            {"low", finite(cell.curve.low)},
            {"high", finite(cell.curve.high)}}}};
}

ResultsJson contrast_json(const Results& results, std::size_t index) {
  const Contrast& contrast = results.plan->suite.contrasts[index];
  const Finding& found = results.contrasts[index].finding;
  const Comparison& compared = results.compared[index];
  ResultsJson differences = ResultsJson::array();
  for (std::size_t k = 0; k < compared.a.size(); ++k)
    differences.push_back(finite(compared.a[k] - compared.b[k]));
  return {{"task", contrast.task},
          {"a", contrast.a},
          {"b", contrast.b},
          {"question", both(contrast.question)},
          {"expected",
           contrast.expected ? ResultsJson(name(*contrast.expected)) : ResultsJson(nullptr)},
          {"expectation", both(contrast.expectation)},
          {"unequal", results.contrasts[index].unequal},
          {"differences", differences},
          {"difference", finite(found.difference.mean)},
          {"interval", finite(found.difference.interval)},
          {"deviation", finite(found.difference.deviation)},
          {"p", finite(found.p)},
          {"p_adjusted", finite(found.p_adjusted)},
          {"p_equivalence_adjusted", finite(found.p_equivalence_adjusted)},
          {"detectable", finite(found.detectable)},
          {"verdict", name(found.verdict)},
          {"reason", name(found.reason)},
          {"seeds", found.difference.seeds},
          {"failed", found.failed}};
}

/// A field of a CSV file, by RFC 4180.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

}  // namespace

std::string results_json(const Results& results, const ResultsFacts& facts) {
  const Suite& suite = results.plan->suite;
  ResultsJson tasks = ResultsJson::array(), arms = ResultsJson::array(),
              cells = ResultsJson::array(), contrasts = ResultsJson::array(),
              exploratory = ResultsJson::array(), controls = ResultsJson::array();
  for (std::size_t i = 0; i < suite.tasks.size(); ++i) tasks.push_back(task_json(results, i));
  for (const Arm& arm : suite.arms) {
    arms.push_back({{"name", arm.name},
                    {"about", both(arm.about)},
                    {"unequal", !is_equal(suite, arm)},
                    {"choices", choices_json(arm.choices)}});
  }
  for (const CellResult& cell : results.cells) cells.push_back(cell_json(results, cell));
  for (std::size_t i = 0; i < suite.contrasts.size(); ++i)
    contrasts.push_back(contrast_json(results, i));
  for (const auto& pair : results.exploratory) {
    const CellResult& a = results.cells[pair.a];
    const CellResult& b = results.cells[pair.b];
    exploratory.push_back({{"task", results.plan->task(a.cell).name},
                           {"a", results.plan->arm(a.cell).name},
                           {"b", results.plan->arm(b.cell).name},
                           {"difference", finite(pair.difference.mean)},
                           {"interval", finite(pair.difference.interval)},
                           {"seeds", pair.difference.seeds}});
  }
  for (const auto& statements : results.controls) {
    for (const ControlStatement& c : statements) {
      controls.push_back({{"task", c.task},
                          {"arm", c.arm},
                          {"expect", name(c.expect)},
                          {"limit", c.limit},
                          {"within", c.within},
                          {"mean", finite(c.mean)},
                          {"holds", c.holds}});
    }
  }
  const Budget& budget = suite.budget;
  const ResultsJson json = {
      {"format", 1},
      {"weft", facts.version},
      {"suite", suite.name},
      {"question", both(suite.question)},
      {"kind", suite.kind},
      {"quick", results.quick},
      {"seeds", suite.seeds},
      {"alpha", suite.alpha},
      {"machine", {{"cpu", facts.cpu}, {"cores", facts.cores}, {"simd", facts.simd}}},
      {"started", facts.started},
      {"seconds", facts.seconds},
      {"jobs", facts.jobs},
      {"complete", results.complete},
      {"runs_done", results.done},
      {"runs_failed", results.failed},
      {"runs_wanted", results.plan->runs()},
      {"budget",
       {{"equal", name(budget.equal)},
        {"amount", budget.amount ? ResultsJson(*budget.amount) : ResultsJson(nullptr)},
        {"reference", budget.reference},
        {"tolerance", budget.tolerance},
        {"lr_factors", suite.lr_factors},
        {"tuning_seed", results.plan->tuning_seed}}},
      {"tasks", tasks},
      {"arms", arms},
      {"cells", cells},
      {"contrasts", contrasts},
      {"exploratory", exploratory},
      {"controls", controls}};
  return json.dump(1, ' ', false, ResultsJson::error_handler_t::replace) + "\n";
}

std::string results_csv(const Results& results) {
  std::string text =
      "suite,task,arm,seed,status,metric,value,parameters,steps,seconds,peak_mib,lr,width,folder\n";
  for (const CellResult& cell : results.cells) {
    const Task& task = results.plan->task(cell.cell);
    for (const CellRun& run : cell.runs) {
      text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", results.plan->suite.name,
                          task.name, results.plan->arm(cell.cell).name, run.job.seed,
                          name(run.result.status), task.metric.name, csv_number(run.result.value),
                          cell.cell.parameters, cell.cell.steps, csv_number(run.result.seconds),
                          csv_number(run.result.peak_mib), csv_number(cell.lr),
                          cell.cell.config->width, csv_field(run.job.folder.string()));
    }
  }
  return text;
}

}  // namespace weft::compare
