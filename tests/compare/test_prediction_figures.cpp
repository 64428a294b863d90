// Figures that are made again from predictions are those that were measured, and what leaving rows
// out says of them is what formulas say.
#include "train/metrics/prediction_figures.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "core/random.h"
#include "tests/train/tiny_runs.h"
#include "train/compare/statistics.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/kinds.h"

using namespace weft;

namespace {

double figure_of_all(const train::Predictions& predictions, const std::string& figure) {
  std::vector<std::size_t> all(predictions.columns.front().second.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return train::figure_of(predictions, figure, all);
}

/// A run of this kind, as a comparison has it, without training.
train::Evaluation evaluated(const std::string& name,
                            const std::vector<std::pair<std::string, std::string>>& choices) {
  const train::Kind& kind = train::find_kind(name, "test");
  auto config = kind.make();
  test::set(*config, kind, choices);
  kind.keep_test_split(*config);
  random::seed(1);
  const train::Prepared run = kind.prepare(std::move(config));
  REQUIRE(run.has_test);
  run.task->model().eval();
  return run.task->evaluate(data::Split::test, [](double) { return true; });
}

/// Choices of a small run of each kind.
std::map<std::string, std::vector<std::pair<std::string, std::string>>> small_runs(
    const test::TempFolder& folder) {
  test::tiny_text_config(folder);
  test::tiny_vision_config(folder);
  const std::string text = (folder / "text.txt").string(), images = (folder / "images").string();
  return {{"text", {{"data", text}, {"context", "8"}, {"width", "16"}, {"layers", "1"}}},
          {"vision", {{"data", images}, {"model", "mlp"}, {"batch", "8"}, {"validation", "10"}}},
          {"bert", {{"data", text}, {"context", "8"}, {"width", "16"}, {"layers", "1"}}},
          {"classify", {{"width", "16"}, {"layers", "1"}, {"context", "16"}}},
          {"tokens", {{"data", "wine"}, {"standardize", "true"}}},
          {"table", {{"width", "8"}, {"layers", "1"}, {"train", "500"}}},
          {"sequence", {{"data", "recall"}, {"held_out", "50"}, {"length", "32"}}},
          {"translate", {{"data", "tang"}, {"width", "16"}, {"layers", "1"}}},
          {"recommend", {{"users", "200"}, {"items", "100"}, {"topics", "10"}}},
          {"embedding", {{"data", "synonyms"}, {"width", "8"}}},
          {"detect", {{"eval_scenes", "6"}}}};
}

}  // namespace

TEST_CASE("the figures of a test split are those of its predictions, for every kind") {
  const test::TempFolder folder;
  const auto runs = small_runs(folder);
  for (const train::Kind* kind : train::kinds()) {
    CAPTURE(kind->name());
    REQUIRE(runs.contains(kind->name()));
    const train::Evaluation found = evaluated(kind->name(), runs.at(kind->name()));
    REQUIRE_FALSE(found.predictions.empty());
    for (const auto& [name, value] : found.figures) {
      CAPTURE(name);
      if (!std::isfinite(value)) continue;
      CHECK(figure_of_all(found.predictions, name) == doctest::Approx(value).epsilon(1e-6));
      CHECK(train::count_rows(found.predictions) >= 6);
      const auto pseudo = train::row_pseudo_values(found.predictions, name);
      CHECK(pseudo.size() == std::min(train::kMostRowGroups, train::count_rows(found.predictions)));
    }
    // As they lie beside a run.
    const auto file = train::predictions_file(folder / "");
    train::write_predictions(file, found.predictions);
    const train::Predictions again = train::read_predictions(file);
    CHECK(again.columns.size() == found.predictions.columns.size());
    for (const auto& [name, value] : found.figures)
      if (std::isfinite(value))
        CHECK(figure_of_all(again, name) == doctest::Approx(value).epsilon(1e-5));
  }
}

TEST_CASE(
    "a comparison plans the steps that a run has, also where batches do not divide the data") {
  const test::TempFolder folder;
  auto runs = small_runs(folder);
  for (const train::Kind* kind : train::kinds()) {
    CAPTURE(kind->name());
    auto config = kind->make();
    auto choices = runs.at(kind->name());
    std::erase_if(choices, [](const auto& choice) { return choice.first == "batch"; });
    choices.emplace_back("batch", "7");
    test::set(*config, *kind, choices);
    kind->keep_test_split(*config);
    const train::Length planned = kind->length(*config, *kind->inspect_data(*config));
    const train::Prepared run = kind->prepare(std::move(config));
    CHECK(planned.steps == run.steps);
    CHECK(planned.samples <= static_cast<double>(run.steps * 7));
  }
}

TEST_CASE("pseudo-values of a mean are its terms, and of others spread as theory says") {
  train::Predictions right;
  for (int i = 0; i < 40; ++i) {
    right["row"].push_back(i);
    right["right"].push_back(i % 3 == 0 ? 1 : 0);
  }
  const auto terms = train::row_pseudo_values(right, "accuracy");
  REQUIRE(terms.size() == 40);
  for (int i = 0; i < 40; ++i)
    CHECK(terms[static_cast<std::size_t>(i)] == doctest::Approx(i % 3 == 0 ? 1 : 0));
  // The standard error of an AUC by its pseudo-values is near that of Hanley and McNeil 1982,
  // eq. 1.
  Generator generator(3, "auc");
  train::Predictions ranked;
  const int count = 400;
  for (int i = 0; i < count; ++i) {
    ranked["row"].push_back(i);
    ranked["clicked"].push_back(i % 2);
    ranked["score"].push_back(generator.next_normal() + 1.0 * (i % 2));
  }
  const double theta = figure_of_all(ranked, "auc");
  const double q1 = theta / (2 - theta), q2 = 2 * theta * theta / (1 + theta), n = count / 2.0;
  const double formula = std::sqrt(
      (theta * (1 - theta) + (n - 1) * (q1 - theta * theta) + (n - 1) * (q2 - theta * theta)) /
      (n * n));
  const auto values = train::row_pseudo_values(ranked, "auc");
  CHECK(values.size() == train::kMostRowGroups);
  const double found =
      compare::standard_deviation(values) / std::sqrt(static_cast<double>(values.size()));
  CHECK(found == doctest::Approx(formula).epsilon(0.2));
}

TEST_CASE("examples of one row are left out together, and what cannot be computed has no values") {
  train::Predictions users;
  for (int i = 0; i < 12; ++i) {
    users["row"].push_back(i / 3);
    users["loss"].push_back(i);
  }
  CHECK(train::count_rows(users) == 4);
  CHECK(train::row_pseudo_values(users, "loss").size() == 4);
  CHECK(train::row_pseudo_values(users, "accuracy").empty());
  train::Predictions one;
  one["row"] = {0, 0};
  one["loss"] = {1, 2};
  CHECK(train::row_pseudo_values(one, "loss").empty());
}
