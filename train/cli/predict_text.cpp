#include "train/cli/predict_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "train/cli/answers.h"
#include "train/cli/cli.h"
#include "train/tasks/bert/fill_in.h"
#include "train/tasks/classify/classify_model.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/translate/translate_task.h"

namespace weft::cli {
namespace {

using Json = Answers::Json;

int name_classes(const train::ClassifyRun& run, const std::vector<std::string>& texts, int top,
                 bool json) {
  Answers answers(json);
  for (const std::string& text : texts) {
    answers.add("text", text, [&](Json& entry) {
      const std::vector<double> probabilities = run.probabilities(text);
      std::vector<std::size_t> order(probabilities.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return probabilities[a] > probabilities[b];
      });
      if (json) {
        entry["class"] = run.facts.classes[order.front()];
        entry["probability"] = probabilities[order.front()];
        for (const std::size_t i : order)
          entry["probabilities"][run.facts.classes[i]] = probabilities[i];
        return;
      }
      for (std::size_t i = 0; i < order.size() && i < static_cast<std::size_t>(top); ++i)
        fmt::print("{}{} {:.2f} %", i == 0 ? "" : "  ", run.facts.classes[order[i]],
                   100 * probabilities[order[i]]);
      fmt::print("  {}\n", text);
    });
  }
  return answers.finish();
}

int fill_in_words(const train::BertRun& run, const std::vector<std::string>& texts, int top,
                  bool json) {
  Answers answers(json);
  for (const std::string& text : texts) {
    answers.add("text", text, [&](Json& entry) {
      const auto blanks = train::fill_in(run, text, top);
      entry["blanks"] = Json::array();
      if (!json) fmt::print("{}\n", text);
      for (const auto& answer : blanks) {
        Json tokens = Json::array();
        for (const train::Filling& filling : answer) {
          if (json)
            tokens.push_back({{"token", filling.token}, {"probability", filling.probability}});
          else
            fmt::print("  {} {:.2f} %", filling.token, 100 * filling.probability);
        }
        if (!json) fmt::print("\n");
        entry["blanks"].push_back(std::move(tokens));
      }
    });
  }
  return answers.finish();
}

int write_answers(const train::TranslateRun& run, const TextPredictions& wanted) {
  Answers answers(wanted.json);
  for (const std::string& text : wanted.texts) {
    answers.add("text", text, [&](Json& entry) {
      const std::vector<train::Translation> found =
          run.translate(text, std::max(wanted.top, wanted.beam));
      entry["answers"] = Json::array();
      if (!wanted.json) fmt::print("{}\n", text);
      for (std::size_t i = 0; i < found.size() && i < static_cast<std::size_t>(wanted.top); ++i) {
        if (wanted.json)
          entry["answers"].push_back(
              {{"text", found[i].text}, {"log_probability", found[i].log_probability}});
        else
          fmt::print("  {}  {:.1f}\n", found[i].text, found[i].log_probability);
      }
    });
  }
  return answers.finish();
}

}  // namespace

int predict_texts(const train::RunFacts& run, const TextPredictions& wanted) {
  const auto& [texts, top, beam, json] = wanted;
  if (run.kind->name() == "classify")
    return name_classes(train::load_classify_run(run), texts, top, json);
  if (run.kind->name() == "bert") return fill_in_words(train::load_bert_run(run), texts, top, json);
  if (run.kind->name() == "translate") return write_answers(train::load_translate_run(run), wanted);
  fail<ConfigError>(
      "predict",
      "--text is for classify, bert and translate runs; this is a {} run; for it there are: {}",
      run.kind->name(), train::commands_for(*run.kind));
}

}  // namespace weft::cli
