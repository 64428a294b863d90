#include "train/report/chart_data.h"

#include <nlohmann/json.hpp>

namespace weft::report {

std::string chart_data(const compare::Results& results) {
  // JSON has no NaN: nlohmann writes null.
  nlohmann::ordered_json data{{"tasks", nlohmann::ordered_json::array()},
                              {"arms", nlohmann::ordered_json::array()},
                              {"cells", nlohmann::ordered_json::array()},
                              {"contrasts", nlohmann::ordered_json::array()}};
  for (const compare::ResultTask& task : results.tasks) {
    const compare::Phrase metric = compare::metric_words(task.metric);
    data["tasks"].push_back({{"name", task.name},
                             {"en", metric.en},
                             {"zh", metric.zh},
                             {"lower", task.lower_is_better},
                             {"chance", task.chance},
                             {"ceiling", task.ceiling}});
  }
  for (const compare::ResultArm& arm : results.arms) data["arms"].push_back(arm.name);
  for (const compare::ResultCell& cell : results.cells) {
    nlohmann::ordered_json one{{"task", cell.task},
                               {"arm", cell.arm},
                               {"mean", cell.mean},
                               {"low", cell.low},
                               {"high", cell.high},
                               {"parameters", cell.parameters},
                               {"forward_flops", cell.forward_flops},
                               {"training_flops", cell.training_flops},
                               {"seconds", cell.seconds},
                               {"peak_mib", cell.peak_mib}};
    if (!cell.curve.steps.empty()) {
      const compare::Phrase figure = compare::metric_words(cell.curve.figure);
      one["curve"] = {{"en", figure.en},           {"zh", figure.zh},
                      {"steps", cell.curve.steps}, {"mean", cell.curve.mean},
                      {"low", cell.curve.low},     {"high", cell.curve.high}};
    }
    data["cells"].push_back(std::move(one));
  }
  for (const compare::ResultContrast& contrast : results.contrasts) {
    const compare::Finding& finding = contrast.statement.finding;
    data["contrasts"].push_back({{"differences", contrast.differences},
                                 {"seeds", results.seeds},
                                 {"mean", finding.difference.mean},
                                 {"low", finding.difference.interval.low},
                                 {"high", finding.difference.interval.high},
                                 {"margin", contrast.statement.margin}});
  }
  return data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weft::report
