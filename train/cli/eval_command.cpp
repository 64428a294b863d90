// weft eval
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/error.h"
#include "train/cli/cli.h"
#include "train/cli/eval_classes.h"
#include "train/cli/eval_progress.h"
#include "train/cli/run_words.h"
#include "train/cli/terminal.h"
#include "train/loop/figures.h"
#include "train/tasks/common/evaluate_run.h"
#include "train/tasks/common/image_facts.h"

namespace weft::cli {
namespace {

struct EvalFlags {
  std::string run;
  std::string data;
  std::string split;
  std::string checkpoint = "last";
  bool classes = false;
  int threads = 0;
  bool json = false;
};

std::vector<std::string> names_of_classes(const train::RunFacts& run) {
  const auto facts = train::ImageFacts::from_json(run.facts.data, run.checkpoint);
  std::vector<std::string> names;
  for (std::int64_t label = 0; label < facts.classes; ++label)
    names.push_back(facts.class_name(label));
  return names;
}

int eval(const EvalFlags& flags) {
  use_threads(flags.threads);
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
  if (flags.classes && !facts.kind->can(train::Use::predict_image))
    fail<ConfigError>("eval", "--classes is for {}; this is {} run: leave it out",
                      runs_for({train::Use::predict_image}),
                      train::with_article(facts.kind->name()));
  train::Measured result;
  {
    EvalProgress progress;
    result =
        train::evaluate_run(facts, {.data = flags.data, .split = flags.split}, [&](double share) {
          progress.show(share);
          return true;
        });
  }
  const train::Evaluation& figures = result.figures;
  const std::string warning = train::above_chance(figures.loss, result.chance);
  std::optional<Confusion> classes;
  if (flags.classes) classes.emplace(figures.predictions, names_of_classes(facts));
  for (const std::string& note : result.notes) put_line("weft: " + note);
  if (flags.json) {
    nlohmann::ordered_json json{
        {"run", flags.run}, {"step", facts.facts.progress.step}, {"split", result.split}};
    if (!flags.data.empty()) json["data"] = flags.data;
    if (figures.measured > 0) json[result.unit] = figures.measured;
    json["loss"] = figures.loss;
    for (const auto& [name, value] : figures.figures) json[name] = value;
    if (!warning.empty()) json["above_chance"] = true;
    if (classes) json["classes"] = classes->to_json();
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
    if (classes) fmt::print("{}", classes->table());
  }
  if (!warning.empty()) put_line(fmt::format("weft: {}", warning));
  return kDone;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("eval", "evaluate a trained model on a full split");
  const auto flags = std::make_shared<EvalFlags>();
  add_name(*command, "run", flags->run, "folder of a run, or a checkpoint")
      ->required()
      ->type_name("RUN");
  add_name(*command, "--data", flags->data,
           "other data than the run's own, which are evaluated in full (of images the test set, or "
           "with --split train the training set)")
      ->type_name("DATA");
  add_choice(*command, "--split", flags->split, {"train", "validation", "test"},
             "of the run's own data, the split to evaluate (default: validation, of images test)");
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights");
  command->add_flag("--classes", flags->classes,
                    "of images: how many of each class are right, and what the others are taken "
                    "for; with --json the whole confusion matrix");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the figures as JSON");
  command->footer(
      "Example:\n  weft eval runs/demo-vision --json\n  weft eval runs/demo-vision --classes");
  command->callback([flags, &action] { action = [flags] { return eval(*flags); }; });
}

}  // namespace weft::cli
