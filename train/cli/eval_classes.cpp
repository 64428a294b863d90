#include "train/cli/eval_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace weft::cli {

Confusion::Confusion(const train::Predictions& predictions, std::vector<std::string> class_names)
    : names(std::move(class_names)),
      counts(names.size(), std::vector<std::int64_t>(names.size(), 0)) {
  const auto* truth = predictions.find("truth");
  const auto* guess = predictions.find("guess");
  if (truth == nullptr || guess == nullptr)
    fail<ConfigError>("eval", "--classes is for the test split: leave out --split");
  for (std::size_t i = 0; i < truth->size(); ++i)
    ++counts.at(static_cast<std::size_t>((*truth)[i])).at(static_cast<std::size_t>((*guess)[i]));
}

std::int64_t Confusion::size(std::size_t label) const {
  return std::accumulate(counts[label].begin(), counts[label].end(), std::int64_t{0});
}

std::string Confusion::table() const {
  std::size_t width = 5;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string text =
      fmt::format("{:<{}}  examples  right      most often taken for\n", "class", width);
  for (std::size_t label = 0; label < names.size(); ++label) {
    const std::vector<std::int64_t>& row = counts[label];
    const std::int64_t examples = size(label);
    std::size_t other = label;
    for (std::size_t guess = 0; guess < row.size(); ++guess)
      if (guess != label && row[guess] > (other == label ? 0 : row[other])) other = guess;
    const std::string right = examples == 0
                                  ? "-"
                                  : fmt::format("{:.2f} %", 100 * static_cast<double>(row[label]) /
                                                                static_cast<double>(examples));
    const std::string taken =
        other == label ? "-" : fmt::format("{} ({})", names[other], row[other]);
    text += fmt::format("{:<{}}  {:>8}  {:<9}  {}\n", names[label], width, examples, right, taken);
  }
  return text;
}

nlohmann::ordered_json Confusion::to_json() const {
  nlohmann::ordered_json json{{"names", names}, {"accuracy", nlohmann::ordered_json::array()}};
  for (std::size_t label = 0; label < names.size(); ++label) {
    const std::int64_t examples = size(label);
    if (examples == 0)
      json["accuracy"].push_back(nullptr);
    else
      json["accuracy"].push_back(static_cast<double>(counts[label][label]) /
                                 static_cast<double>(examples));
  }
  json["confusion"] = counts;
  return json;
}

}  // namespace weft::cli
