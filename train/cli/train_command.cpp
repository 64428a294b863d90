// weft train KIND
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>

#include "core/error.h"
#include "train/cli/cli.h"
#include "train/cli/config_flags.h"
#include "train/cli/progress.h"
#include "train/cli/stop.h"
#include "train/kind.h"
#include "train/run_folder.h"

namespace weft::cli {
namespace {

struct TrainFlags {
  train::Sources sources;
  std::string config;
  std::string out;
  bool resume = false;
  bool json = false;
  bool no_test = false;
};

/// --threads is a choice like any other, but the only one that may differ when a run is taken up again.
std::int64_t threads_of(const TrainFlags& flags) {
  train::Sources only;
  for (const auto& flag : flags.sources.flags) {
    if (flag.first != "threads") {
      fail<ConfigError>("resume", "a run goes on with its own configuration: drop --{} {}, or start a new run", flag.first, flag.second);
    }
    only.flags.push_back(flag);
  }
  if (!flags.config.empty()) fail<ConfigError>("resume", "a run goes on with its own configuration: drop --config");
  if (!flags.sources.preset.empty()) fail<ConfigError>("resume", "a run goes on with its own configuration: drop --preset");
  const train::Kind& kind = *train::kinds().front();
  return train::resolve(kind, only)->threads;
}

void report(const train::Summary& summary, bool json) {
  if (json) {
    fmt::print("{}", summary.to_json());
    return;
  }
  fmt::print("{} of {} steps in {}, {} {}/s, {} parameters, {:.0f} MiB\n", summary.steps, summary.steps_wanted, clock_text(summary.seconds),
             short_number(summary.rate), summary.unit, summary.parameters, summary.peak_mib);
  if (std::isfinite(summary.validation.loss)) {
    fmt::print("validation loss {:.4f}", summary.validation.loss);
    for (const auto& [name, value] : summary.validation.figures) fmt::print(", {}", train::figure_text(name, value));
    fmt::print("\n");
  }
  if (summary.best_step > 0 && summary.best_step != summary.steps) fmt::print("best validation loss {:.4f} at step {}\n", summary.best_val_loss, summary.best_step);
  if (std::isfinite(summary.test.loss)) {
    std::string text;
    for (const auto& [name, value] : summary.test.figures) text += (text.empty() ? "" : ", ") + train::figure_text(name, value);
    fmt::print("test {}\n", text.empty() ? train::figure_text("loss", summary.test.loss) : text);
  }
  if (summary.reached_target) fmt::print("the target was reached\n");
  fmt::print("{}\n", summary.folder.string());
}

int train_one(const TrainFlags& flags, const train::Kind& kind) {
  const std::string task = kind.name();
  catch_stop_signals();
  if (flags.resume && flags.out.empty()) fail<ConfigError>("resume", "which run? name its folder with --out");
  ProgressBar bar(task);
  train::RunOptions options{.out = flags.out, .resume = flags.resume, .test = !flags.no_test, .observer = &bar, .stop = stop_requested};
  train::Sources sources = flags.sources;
  sources.file = flags.config;
  train::Summary summary;
  if (flags.resume) {
    summary = train::resume_run(options, task, threads_of(flags));
  } else {
    if (flags.out.empty()) options.out = train::RunFolder::next_free(task);
    summary = train::train_run(kind, *train::resolve(kind, sources), options);
  }
  bar.clear();
  if (summary.interrupted) {
    fmt::print(stderr, "stopped after step {} of {}, and saved. Go on with:\n  weft train {} --resume --out {}\n", summary.steps, summary.steps_wanted, task,
               options.out.string());
    return stop_exit_code();
  }
  report(summary, flags.json);
  return kDone;
}

void add_kind(CLI::App& train, Action& action, const train::Kind& kind) {
  const std::string task = kind.name();
  CLI::App* command = train.add_subcommand(task, kind.about());
  command->get_formatter()->column_width(34);
  const auto flags = std::make_shared<TrainFlags>();
  command->add_option("--out", flags->out, fmt::format("folder of the run; must not be there yet (default: runs/{}-1, -2, ...)", task))->type_name("DIR")->group("Run");
  command->add_flag("--resume", flags->resume, "go on with the run in --out, by its own configuration, to the same bits")->group("Run");
  const std::string presets = train::preset_help(task);
  if (!presets.empty()) command->add_option("--preset", flags->sources.preset, "start from a named recipe. " + presets)->type_name("NAME")->group("Run");
  command->add_option("--config", flags->config, "a TOML file of choices, or config.json of an earlier run; flags win over it")->type_name("FILE")->group("Run");
  command->add_flag("--json", flags->json, "print the summary as JSON")->group("Run");
  command->add_flag("--no-test", flags->no_test, "leave the test split alone, as while choices are still being made")->group("Run");
  add_config_flags(*command, kind, flags->sources);
  command->footer("Example:\n  " + kind.example());
  command->callback([flags, &kind, &action] { action = [flags, &kind] { return train_one(*flags, kind); }; });
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  CLI::App* train = app.add_subcommand("train", "train a model");
  train->require_subcommand(1);
  train->footer("Example:\n  weft train text --preset text-best --out runs/shakespeare");
  for (const weft::train::Kind* kind : weft::train::kinds()) add_kind(*train, action, *kind);
}

}  // namespace weft::cli
