// weft train KIND
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/open_files.h"
#include "core/io/process.h"
#include "core/leaving.h"
#include "core/parallel.h"
#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/cli/config_flags.h"
#include "train/cli/progress.h"
#include "train/cli/stop.h"
#include "train/cli/stop_run.h"
#include "train/cli/terminal.h"
#include "train/loop/figures.h"
#include "train/loop/memory_estimate.h"
#include "train/loop/run_folder.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"

namespace weft::cli {
namespace {

struct TrainFlags {
  train::Sources sources;
  std::string config;
  std::string out;
  bool resume = false;
  bool json = false;
  bool no_test = false;
  bool estimate = false;
  bool no_estimate = false;
};

std::string flag_of(const train::Kind& kind, const std::string& name) {
  const auto field = std::find_if(kind.fields().begin(), kind.fields().end(),
                                  [&](const train::Field& one) { return one.name == name; });
  return field == kind.fields().end() ? name : field->flag();
}

/// --threads is a choice like any other, but the only one that may differ when a run is taken up
/// again.
std::int64_t threads_of(const train::Kind& kind, const TrainFlags& flags) {
  train::Sources only;
  for (const auto& flag : flags.sources.flags) {
    if (flag.first != "threads") {
      fail<ConfigError>(
          "resume", "a run resumes with its own configuration: remove {} {}, or start a new run",
          flag_of(kind, flag.first), flag.second);
    }
    only.flags.push_back(flag);
  }
  if (!flags.config.empty())
    fail<ConfigError>("resume", "a run resumes with its own configuration: remove --config");
  if (!flags.sources.preset.empty())
    fail<ConfigError>("resume", "a run resumes with its own configuration: remove --preset");
  return train::resolve(kind, only)->threads;
}

void report(const train::Summary& summary, bool json) {
  if (json) {
    fmt::print("{}", summary.to_json());
    return;
  }
  fmt::print("{} of {} steps in {}, {} {}/s, {} parameters, {:.0f} MiB\n", summary.steps,
             summary.steps_wanted, clock_text(summary.seconds), short_number(summary.rate),
             summary.unit, summary.parameters, summary.peak_mib);
  if (std::isfinite(summary.validation.loss)) {
    fmt::print("validation loss {:.4f}", summary.validation.loss);
    for (const auto& [name, value] : summary.validation.figures)
      fmt::print(", {}", train::figure_text(name, value));
    fmt::print("\n");
  }
  if (summary.best_step > 0 && summary.best_step != summary.steps)
    fmt::print("best validation loss {:.4f} at step {}\n", summary.best_val_loss,
               summary.best_step);
  if (std::isfinite(summary.test.loss)) {
    std::string text;
    for (const auto& [name, value] : summary.test.figures)
      text += (text.empty() ? "" : ", ") + train::figure_text(name, value);
    fmt::print("test {}\n", text.empty() ? train::figure_text("loss", summary.test.loss) : text);
  }
  if (summary.reached_target) fmt::print("the target was reached\n");
  fmt::print("{}\n", summary.folder.string());
  fmt::print("bits {}\n", summary.bits);
}

/// Finds out in another process what the run needs, so that nothing of the trial stays in this one.
void check_memory(const train::Kind& kind, const train::RunConfig& config) {
  std::error_code nowhere;
  std::string file = (std::filesystem::temp_directory_path(nowhere) / "weft-XXXXXX").string();
  if (nowhere) return;  // to write, here and below: the run itself will say what is wrong
  const int descriptor = ::mkstemp(file.data());
  if (descriptor < 0) return;
  ::close(descriptor);
  const std::string json_file = file + ".json";
  const leaving::File also_when_stopped(json_file);
  std::error_code ignored;
  std::filesystem::rename(file, json_file, ignored);
  try {
    write_file(json_file, train::to_json(kind, config));
  } catch (const IoError&) {
    std::filesystem::remove(json_file, ignored);
    return;
  }
  const Phase phase("estimating whether this run fits in memory (--no-estimate skips this)");
  const ProcessOutcome child = run_process({files::own_program().string(), "train", kind.name(),
                                            "--config", json_file, "--estimate", "--json"});
  std::filesystem::remove(json_file, ignored);
  if (child.code == 0) {
    train::check_memory_need(train::memory_need_from_json(child.out));
  } else if (child.code == 128 + SIGKILL) {
    fail<ConfigError>("config",
                      "this run does not fit in memory: even a trial with a few examples was ended "
                      "by the system; lower width, layers, context or batch");
  }  // any other mistake the run will meet itself, and say
}

/// What a run that is to go on was begun with.
std::unique_ptr<train::RunConfig> config_of_run(const train::Kind& kind, const TrainFlags& flags) {
  const std::string file = (std::filesystem::path(flags.out) / "config.json").string();
  auto config = train::config_from_json(kind, read_file(file, train::kMaxConfigBytes), file);
  if (const std::int64_t threads = threads_of(kind, flags); threads > 0) config->threads = threads;
  return config;
}

int train_one(const TrainFlags& flags, const train::Kind& kind) {
  const std::string task = kind.name();
  if (flags.resume && flags.out.empty())
    fail<ConfigError>("resume", "which run? name its folder: --resume --out FOLDER");
  ProgressBar bar(task);
  std::optional<SaveFirst> saving;
  train::RunOptions options = stoppable({.out = flags.out,
                                         .resume = flags.resume,
                                         .estimate = false,
                                         .test = !flags.no_test,
                                         .observer = &bar},
                                        saving);
  train::Sources sources = flags.sources;
  sources.file = flags.config;
  if (flags.estimate) {
    const std::unique_ptr<train::RunConfig> config =
        flags.resume ? config_of_run(kind, flags) : train::resolve(kind, sources);
    if (config->threads > 0) set_num_threads(static_cast<int>(config->threads));
    const train::MemoryNeed need = train::estimate_memory(kind, *config);
    if (flags.json)
      fmt::print("{}", train::to_json(need));
    else
      fmt::print("about {:.0f} MiB, {:.2f} MiB for each example of the batch\n", need.process_mib,
                 need.per_example_mib);
    return kDone;
  }
  train::Summary summary;
  if (flags.resume) {
    summary = train::resume_run(options, task, threads_of(kind, flags));
  } else {
    if (flags.out.empty()) options.out = train::RunFolder::next_free(task);
    const std::unique_ptr<train::RunConfig> config = train::resolve(kind, sources);
    train::RunFolder::check_new(options.out);
    if (!flags.no_estimate) check_memory(kind, *config);
    summary = train::train_run(kind, *config, options);
  }
  bar.clear();
  if (summary.interrupted) {
    put_line(fmt::format(
        "stopped after step {} of {}, and saved. Continue with:\n  weft train {} --resume --out {}",
        summary.steps, summary.steps_wanted, task, options.out.string()));
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
  add_name(*command, "--out", flags->out,
           fmt::format("folder of the run; must not exist yet (default: runs/{}-1, -2, ...)", task))
      ->type_name("DIR")
      ->group("Run");
  command
      ->add_flag("--resume", flags->resume,
                 "resume the run in --out with its own configuration, to the same bits")
      ->group("Run");
  const std::string presets = train::preset_help(kind);
  if (!presets.empty())
    add_name(*command, "--preset", flags->sources.preset, "start from a named recipe. " + presets)
        ->type_name("NAME")
        ->group("Run");
  add_name(*command, "--config", flags->config,
           "a TOML file of choices, or config.json of an earlier run; flags override it")
      ->type_name("FILE")
      ->group("Run");
  command->add_flag("--json", flags->json, "print the summary as JSON")->group("Run");
  command
      ->add_flag("--estimate", flags->estimate,
                 "say how much memory the run would need, and train nothing")
      ->group("Run");
  command
      ->add_flag("--no-estimate", flags->no_estimate,
                 "start without estimating whether the run fits in memory")
      ->group("Run");
  command
      ->add_flag("--no-test", flags->no_test,
                 "do not evaluate on the test split (while hyperparameters are still being chosen)")
      ->group("Run");
  add_config_flags(*command, kind, flags->sources);
  command->footer("Example:\n  " + kind.example());
  command->callback([flags, command, &kind, &action] {
    action = [flags, &kind, given = given_to(*command)] {
      if (flags->resume)
        refuse_given("train " + kind.name(), given, {"--no-estimate"},
                     "--resume, which makes no estimate");
      return train_one(*flags, kind);
    };
  });
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  CLI::App* train = app.add_subcommand("train", "train a model");
  train->require_subcommand(1);
  train->footer("Example:\n  weft train text --preset text-best --out runs/shakespeare");
  for (const weft::train::Kind* kind : weft::train::kinds()) add_kind(*train, action, *kind);
}

}  // namespace weft::cli
