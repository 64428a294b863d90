// weft eval
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "train/cli/cli.h"
#include "train/cli/eval_progress.h"
#include "train/cli/terminal.h"
#include "train/loop/figures.h"
#include "train/tasks/common/evaluate_run.h"

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

int eval(const EvalFlags& flags) {
  use_threads(flags.threads);
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
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
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the figures as JSON");
  command->footer("Example:\n  weft eval runs/demo-vision --json");
  command->callback([flags, &action] { action = [flags] { return eval(*flags); }; });
}

}  // namespace weft::cli
