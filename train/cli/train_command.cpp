// weft train text | vision
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>

#include "core/error.h"
#include "train/cli/cli.h"
#include "train/cli/config_flags.h"
#include "train/cli/progress.h"
#include "train/cli/stop.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace weft::cli {
namespace {

struct TrainFlags {
  train::Sources sources;
  std::string config;
  std::string out;
  bool resume = false;
  bool json = false;
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
  return train::resolve_text(only).threads;
}

void report(const train::Summary& summary, bool json) {
  if (json) {
    fmt::print("{}", summary.to_json());
    return;
  }
  fmt::print("{} of {} steps in {}, {} {}/s, {} parameters, {:.0f} MiB\n", summary.steps, summary.steps_wanted, clock_text(summary.seconds),
             short_number(summary.rate), summary.unit, summary.parameters, summary.peak_mib);
  if (std::isfinite(summary.validation.loss)) {
    fmt::print("validation loss {:.4f} nats", summary.validation.loss);
    if (std::isfinite(summary.validation.bits_per_byte)) fmt::print(", {:.4f} bits per byte", summary.validation.bits_per_byte);
    if (std::isfinite(summary.validation.accuracy)) fmt::print(", accuracy {:.2f} %", 100 * summary.validation.accuracy);
    fmt::print("\n");
  }
  if (summary.best_step > 0 && summary.best_step != summary.steps) fmt::print("best validation loss {:.4f} at step {}\n", summary.best_val_loss, summary.best_step);
  if (std::isfinite(summary.test.accuracy)) fmt::print("test accuracy {:.2f} %\n", 100 * summary.test.accuracy);
  if (summary.reached_target) fmt::print("the target was reached\n");
  fmt::print("{}\n", summary.folder.string());
}

int train_one(const TrainFlags& flags, const std::string& task) {
  catch_stop_signals();
  if (flags.resume && flags.out.empty()) fail<ConfigError>("resume", "which run? name its folder with --out");
  ProgressBar bar(task);
  train::RunOptions options{.out = flags.out, .resume = flags.resume, .observer = &bar, .stop = stop_requested};
  train::Sources sources = flags.sources;
  sources.file = flags.config;
  train::Summary summary;
  if (flags.resume) {
    summary = train::resume_run(options, task, threads_of(flags));
  } else {
    if (flags.out.empty()) options.out = train::RunFolder::next_free(task);
    summary = task == "text" ? train::train_text(train::resolve_text(sources), options) : train::train_vision(train::resolve_vision(sources), options);
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

template <class C>
void add_task(CLI::App& train, Action& action, const std::string& task, const std::string& about, const std::string& example) {
  CLI::App* command = train.add_subcommand(task, about);
  command->get_formatter()->column_width(34);
  const auto flags = std::make_shared<TrainFlags>();
  command->add_option("--out", flags->out, fmt::format("folder of the run; must not be there yet (default: runs/{}-1, -2, ...)", task))->type_name("DIR")->group("Run");
  command->add_flag("--resume", flags->resume, "go on with the run in --out, by its own configuration, to the same bits")->group("Run");
  command->add_option("--preset", flags->sources.preset, "start from a named recipe. " + train::preset_help(task))->type_name("NAME")->group("Run");
  command->add_option("--config", flags->config, "a TOML file of choices, or config.json of an earlier run; flags win over it")->type_name("FILE")->group("Run");
  command->add_flag("--json", flags->json, "print the summary as JSON")->group("Run");
  add_config_flags<C>(*command, flags->sources);
  command->footer("Example:\n  " + example);
  command->callback([flags, task, &action] { action = [flags, task] { return train_one(*flags, task); }; });
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  CLI::App* train = app.add_subcommand("train", "train a model on text or on images");
  train->require_subcommand(1);
  train->footer("Example:\n  weft train text --preset text-best --out runs/shakespeare");
  add_task<weft::train::TextConfig>(*train, action, "text", "train a GPT to predict the next character or byte",
                                    "weft train text --data tang --positions rope --norm rms --optimizer muon --steps 1000 --out runs/tang");
  add_task<weft::train::VisionConfig>(*train, action, "vision", "train a vision transformer, MLP or CNN to name the class of an image",
                                      "weft train vision --data mnist --model vit --patch 4 --layers 6 --heads 4 --width 64 --epochs 5 --out runs/mnist");
}

}  // namespace weft::cli
