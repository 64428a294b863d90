#include "train/cli/predict_rows.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/file.h"
#include "train/cli/csv_field.h"
#include "train/cli/terminal.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/row_uses.h"

namespace weft::cli {
namespace {

std::string as_csv(const train::RowGuesses& guesses) {
  std::string text = "row," + csv_field("predicted " + guesses.target);
  for (const std::string& name : guesses.classes) text += "," + csv_field("probability of " + name);
  text += '\n';
  const std::size_t classes = guesses.classes.size();
  for (std::size_t i = 0; i < guesses.answers.size(); ++i) {
    text += fmt::format("{},{}", i + 1, csv_field(guesses.answers[i]));
    for (std::size_t c = 0; c < classes; ++c)
      text += fmt::format(",{:.6g}", guesses.probabilities[i * classes + c]);
    text += '\n';
  }
  return text;
}

std::string as_json(const train::RowGuesses& guesses) {
  nlohmann::ordered_json all = {{"target", guesses.target},
                                {"rows", nlohmann::ordered_json::array()}};
  const std::size_t classes = guesses.classes.size();
  for (std::size_t i = 0; i < guesses.answers.size(); ++i) {
    nlohmann::ordered_json row;
    if (classes == 0)
      row["prediction"] = nlohmann::ordered_json::parse(guesses.answers[i]);
    else
      row["prediction"] = guesses.answers[i];
    for (std::size_t c = 0; c < classes; ++c)
      row["probabilities"][guesses.classes[c]] = guesses.probabilities[i * classes + c];
    all["rows"].push_back(std::move(row));
  }
  return all.dump(2) + "\n";
}

}  // namespace

int predict_rows(const train::RunFacts& facts, const RowFlags& flags) {
  if (flags.files.size() != 1)
    fail<ConfigError>("predict",
                      "rows are predicted of one file at a time, got {}: name one CSV file",
                      flags.files.size());
  const auto run = train::load_as<train::RowPredictor>(facts);
  const train::RowGuesses guesses = run->predict_rows(flags.files.front(), flags.skip_bad);
  for (const std::string& note : guesses.notes) put_line("weft: " + note);
  const std::string text = flags.json ? as_json(guesses) : as_csv(guesses);
  if (flags.out.empty()) {
    fmt::print("{}", text);
    return 0;
  }
  write_file(flags.out, text);
  put_line(fmt::format("weft: {} rows in {}", guesses.answers.size(), flags.out));
  return 0;
}

}  // namespace weft::cli
