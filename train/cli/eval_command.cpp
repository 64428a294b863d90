// weft eval
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "train/cli/cli.h"
#include "train/cli/eval_progress.h"
#include "train/cli/terminal.h"
#include "train/loop/figures.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/run_facts.h"

namespace weft::cli {
namespace {

struct EvalFlags {
  std::string run;
  std::string data;
  std::string split;
  std::string checkpoint = "last";
  int threads = 0;
  bool json = false;
};

data::Split split_of(const std::string& name) {
  return name == "train"  ? data::Split::train
         : name == "test" ? data::Split::test
                          : data::Split::validation;
}

/// What a run is measured on.
struct Measured {
  std::string split;  ///< as it is called in what is printed
  train::Evaluation figures;
  std::string unit;
  double chance = 0;
  std::vector<std::string> notes;  ///< of other data: what of them was left out
};

/// Its own data, read as it learned from them: by its vocabulary and its statistics.
train::Prepared own_data(const train::RunFacts& facts, const train::Kind& kind) {
  const std::string where = facts.checkpoint.string();
  return train::prepare_again(
      kind, train::config_from_json(kind, facts.config_json, where), facts.facts, "eval",
      "it would be measured on what it has partly learned from, or by other words, classes or "
      "places; put back what they were, or name other data with --data");
}

/// Other data, read in the same way. All of them are the validation split.
train::Prepared other_data(const train::RunFacts& facts, const train::Kind& kind,
                           const std::string& name) {
  auto config = train::config_from_json(kind, facts.config_json, facts.checkpoint.string());
  for (const train::Field& field : kind.fields())
    if (field.name == "data") train::set_value(*config, field, name, "eval");
  return kind.prepare(std::move(config), {.data = facts.facts.data, .whole = true});
}

Measured measure(const train::RunFacts& facts, const EvalFlags& flags,
                 const std::function<bool(double)>& proceed) {
  const train::Kind& kind = *facts.kind;
  const bool others = !flags.data.empty(), vision = facts.kind->name() == "vision";
  // A set of images comes with test images of its own, which are then what is held out.
  if (others && !vision && !flags.split.empty())
    fail<ConfigError>("eval",
                      "--split is of the run's own data; data given with --data are measured "
                      "whole: drop one of the two");
  if (others && flags.split == "validation")
    fail<ConfigError>("eval", "other images have no validation split: use --split test or train");
  const train::Prepared run = others ? other_data(facts, kind, flags.data) : own_data(facts, kind);
  std::string split = flags.split;
  if (split.empty())
    split = !vision ? "validation" : run.has_test ? "test" : others ? "train" : "validation";
  if (split == "test" && !run.has_test)
    fail<ConfigError>("eval",
                      "the data of this {} run have no test split: use --split validation or train",
                      facts.kind->name());
  train::load_weights(facts.checkpoint, run.task->model());
  run.task->model().eval();
  Measured result{.split = others && !vision ? "all" : split,
                  .figures = run.task->evaluate(split_of(split), proceed),
                  .unit = run.task->unit(),
                  .notes = others ? run.notes : std::vector<std::string>()};
  result.chance = run.task->chance_loss();
  return result;
}

int eval(const EvalFlags& flags) {
  use_threads(flags.threads);
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
  Measured result;
  {
    EvalProgress progress;
    result = measure(facts, flags, [&](double share) {
      progress.show(share);
      return true;
    });
  }
  const train::Evaluation& figures = result.figures;
  const std::string warning = train::above_chance(figures.loss, result.chance);
  for (const std::string& note : result.notes) put_line("weft: " + note);
  if (flags.json) {
    nlohmann::ordered_json json{
        {"run", flags.run}, {"step", facts.facts.progress.step}, {"split", result.split}};
    if (!flags.data.empty()) json["data"] = flags.data;
    if (figures.measured > 0) json[result.unit] = figures.measured;
    json["loss"] = figures.loss;
    for (const auto& [name, value] : figures.figures) json[name] = value;
    if (!warning.empty()) json["above_chance"] = true;
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    const std::string what = flags.data.empty()      ? result.split + " split"
                             : result.split == "all" ? "all of " + flags.data
                                                     : result.split + " split of " + flags.data;
    const std::string count =
        figures.measured > 0 ? fmt::format(" {} {},", figures.measured, result.unit) : "";
    fmt::print("{},{} step {}: loss {:.4f}", what, count, facts.facts.progress.step, figures.loss);
    for (const auto& [name, value] : figures.figures)
      fmt::print(", {}", train::figure_text(name, value));
    fmt::print("\n");
  }
  if (!warning.empty()) put_line(fmt::format("weft: {}", warning));
  return kDone;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("eval", "measure a trained model over a whole split");
  const auto flags = std::make_shared<EvalFlags>();
  add_name(*command, "run", flags->run, "folder of a run, or a checkpoint")
      ->required()
      ->type_name("RUN");
  add_name(*command, "--data", flags->data,
           "other data than the run's own, which are measured whole (of images the test set, or "
           "with --split train the training set)")
      ->type_name("DATA");
  add_choice(*command, "--split", flags->split, {"train", "validation", "test"},
             "of the run's own data, what is measured on (default: validation, of images test)");
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the figures as JSON");
  command->footer("Example:\n  weft eval runs/demo-vision --json");
  command->callback([flags, &action] { action = [flags] { return eval(*flags); }; });
}

}  // namespace weft::cli
