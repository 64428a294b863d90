#include "train/tasks/bert/bert_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "train/tasks/bert/fill_in.h"

namespace weft::train {

std::string BertRun::answer(const TextQuestion& question, nlohmann::ordered_json& entry) const {
  std::string printed = question.text + "\n";
  auto& blanks = entry["blanks"] = nlohmann::ordered_json::array();
  for (const auto& blank : fill_in(encoder_, question.text, question.top)) {
    auto tokens = nlohmann::ordered_json::array();
    for (const Filling& filling : blank) {
      tokens.push_back({{"token", filling.token}, {"probability", filling.probability}});
      printed += fmt::format("  {} {:.2f} %", filling.token, 100 * filling.probability);
    }
    blanks.push_back(std::move(tokens));
    printed += "\n";
  }
  return printed;
}

}  // namespace weft::train
