// results.json and results.csv, as they are written.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "train/compare/results.h"

namespace weft::compare {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kResultsFormat = 1;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json finite(double low, double high) { return Json::array({finite(low), finite(high)}); }
Json finite(const std::vector<double>& values) {
  Json json = Json::array();
  for (const double value : values) json.push_back(finite(value));
  return json;
}
/// A count that is kept as a double, so that it may be unknown.
Json count(double value) {
  return std::isfinite(value) ? Json(std::llround(value)) : Json(nullptr);
}
Json both(const Phrase& phrase) { return {{"en", phrase.en}, {"zh", phrase.zh}}; }

template <class Part, class Write>
Json list_of(const std::vector<Part>& parts, const Write& write) {
  Json json = Json::array();
  for (const Part& part : parts) json.push_back(write(part));
  return json;
}

Json task_json(const ResultTask& task) {
  Json json = {{"name", task.name},
               {"about", both(task.about)},
               {"metric", task.metric},
               {"lower_is_better", task.lower_is_better},
               {"margin", task.margin},
               {"chance", finite(task.chance)},
               {"ceiling", finite(task.ceiling)},
               {"pairing", list_of(task.pairing, [](const Pairing& p) {
                  return Json{{"seed", p.seed},
                              {"hash", p.hash},
                              {"runs", p.runs},
                              {"steps", p.steps},
                              {"equal", p.equal}};
                })}};
  if (!task.base.empty()) json["base"] = task.base;
  if (task.multiple != 1) json["multiple"] = task.multiple;
  if (std::isfinite(task.solved)) json["solved"] = task.solved;
  if (task.test_rows > 0) json["test_rows"] = task.test_rows;
  if (task.fresh_test) json["fresh_test"] = true;
  return json;
}

Json arm_json(const ResultArm& arm) {
  Json choices = Json::object();
  for (const auto& choice : arm.choices)
    std::visit([&](const auto& known) { choices[choice.first] = known; }, choice.second);
  return {{"name", arm.name},
          {"about", both(arm.about)},
          {"unequal", arm.unequal},
          {"choices", choices}};
}

Json run_json(const ResultRun& run) {
  Json json = {{"seed", run.seed},
               {"status", run.status},
               {"value", finite(run.value)},
               {"seconds", finite(run.seconds)},
               {"peak_mib", finite(run.peak_mib)},
               {"error", run.error},
               {"folder", run.folder},
               {"command", run.command}};
  if (std::isfinite(run.train_seconds)) json["train_seconds"] = run.train_seconds;
  return json;
}

Json cell_json(const Results& results, const ResultCell& cell) {
  Json json = {{"task", results.tasks[cell.task].name},
               {"arm", results.arms[cell.arm].name},
               {"equal", cell.equal},
               {"values", finite(cell.values)},
               {"failed", cell.failed},
               {"mean", finite(cell.mean)},
               {"deviation", finite(cell.deviation)},
               {"interval", finite(cell.low, cell.high)},
               {"parameters", finite(cell.parameters)},
               {"forward_flops", finite(cell.forward_flops)},
               {"training_flops", finite(cell.training_flops)},
               {"seconds", finite(cell.seconds)},
               {"peak_mib", finite(cell.peak_mib)},
               {"steps", count(cell.steps)},
               {"width", count(cell.width)},
               {"lr", finite(cell.lr)},
               {"tried", list_of(cell.tried,
                                 [](const TriedRate& one) {
                                   return Json{{"factor", finite(one.factor)},
                                               {"lr", finite(one.lr)},
                                               {"value", finite(one.value)}};
                                 })},
               {"runs", list_of(cell.runs, run_json)},
               {"curve",
                {{"figure", cell.curve.figure},
                 {"steps", cell.curve.steps},
                 {"mean", finite(cell.curve.mean)},
                 {"low", finite(cell.curve.low)},
                 {"high", finite(cell.curve.high)}}}};
  if (std::isfinite(cell.train_seconds)) json["train_seconds"] = cell.train_seconds;
  if (!cell.grid_end.empty()) json["grid_end"] = cell.grid_end;
  if (std::isfinite(cell.with_rows.low))
    json["interval_with_rows"] = finite(cell.with_rows.low, cell.with_rows.high);
  return json;
}

Json contrast_json(const ResultContrast& contrast) {
  const Statement& statement = contrast.statement;
  const Finding& found = statement.finding;
  Json json = {{"task", statement.task},
               {"a", statement.a},
               {"b", statement.b},
               {"question", both(contrast.question)},
               {"expected", statement.expected ? Json(name(*statement.expected)) : Json(nullptr)},
               {"expectation", both(contrast.expectation)},
               {"unequal", statement.unequal},
               {"differences", finite(contrast.differences)},
               {"difference", finite(found.difference.mean)},
               {"interval", finite(found.difference.interval.low, found.difference.interval.high)},
               {"deviation", finite(found.difference.deviation)},
               {"p", finite(found.p)},
               {"p_adjusted", finite(found.p_adjusted)},
               {"p_equivalence_adjusted", finite(found.p_equivalence_adjusted)},
               {"detectable", finite(found.detectable)},
               {"verdict", name(found.verdict)},
               {"reason", name(found.reason)},
               {"seeds", found.difference.seeds},
               {"failed", found.failed}};
  if (std::isfinite(statement.with_rows.low))
    json["interval_with_rows"] = finite(statement.with_rows.low, statement.with_rows.high);
  return json;
}

Json control_json(const ControlStatement& c) {
  Json json = {{"task", c.task},           {"arm", c.arm},       {"expect", name(c.expect)},
               {"limit", finite(c.limit)}, {"within", c.within}, {"mean", finite(c.mean)},
               {"holds", c.holds}};
  if (c.lacking > 0) json["lacking"] = c.lacking;
  if (c.runs > 0) json["runs"] = c.runs;
  if (!c.against.empty()) json["against"] = c.against;
  return json;
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

std::string results_json(const Results& results) {
  Json json = {
      {"format", kResultsFormat},
      {"weft", results.version},
      {"suite", results.suite},
      {"question", both(results.question)},
      {"kind", results.kind},
      {"quick", results.quick},
      {"seeds", results.seeds},
      {"alpha", results.alpha},
      {"machine", {{"cpu", results.cpu}, {"cores", results.cores}, {"simd", results.simd}}},
      {"started", results.started},
      {"seconds", finite(results.seconds)},
      {"jobs", results.jobs},
      {"complete", results.complete},
      {"runs_done", results.runs_done},
      {"runs_failed", results.runs_failed},
      {"runs_wanted", results.runs_wanted},
      {"budget",
       {{"equal", results.equal},
        {"amount", finite(results.amount)},
        {"reference", results.reference},
        {"tolerance", finite(results.tolerance)},
        {"lr_factors", finite(results.lr_factors)},
        {"tuning_seed", results.tuning_seeds.empty() ? 0 : results.tuning_seeds.front()}}},
      {"tasks", list_of(results.tasks, task_json)},
      {"arms", list_of(results.arms, arm_json)},
      {"cells",
       list_of(results.cells, [&](const ResultCell& cell) { return cell_json(results, cell); })},
      {"contrasts", list_of(results.contrasts, contrast_json)},
      {"exploratory", list_of(results.exploratory,
                              [&](const ExploratoryPair& pair) {
                                return Json{{"task", results.tasks[pair.task].name},
                                            {"a", pair.a},
                                            {"b", pair.b},
                                            {"difference", finite(pair.difference)},
                                            {"interval", finite(pair.low, pair.high)},
                                            {"seeds", pair.seeds}};
                              })},
      {"controls", list_of(results.controls, control_json)}};
  // What earlier versions had not stands behind, where it is known.
  if (results.tuning_seeds.size() > 1) json["budget"]["tuning_seeds"] = results.tuning_seeds;
  if (!results.suite_hash.empty()) json["suite_hash"] = results.suite_hash;
  if (!results.looks.empty()) json["looks"] = results.looks;
  if (!results.looked.empty()) json["looked"] = results.looked;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string choice_text(const train::Value& value) {
  return std::visit(
      [](const auto& known) {
        const Json json = known;
        return json.is_string() ? json.get<std::string>() : json.dump();
      },
      value);
}

std::string results_csv(const Results& results) {
  std::string text =
      "suite,task,arm,seed,status,metric,value,parameters,steps,seconds,peak_mib,lr,width,folder\n";
  for (const ResultCell& cell : results.cells) {
    const ResultTask& task = results.tasks[cell.task];
    for (const ResultRun& run : cell.runs) {
      text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", results.suite, task.name,
                          results.arms[cell.arm].name, run.seed, run.status, task.metric,
                          csv_number(run.value), csv_number(cell.parameters),
                          csv_number(cell.steps), csv_number(run.seconds), csv_number(run.peak_mib),
                          csv_number(cell.lr), csv_number(cell.width), csv_field(run.folder));
    }
  }
  return text;
}

}  // namespace weft::compare
