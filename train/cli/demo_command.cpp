// weft demo: a GPT on Shakespeare and a vision transformer on MNIST, in a few minutes.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "core/error.h"
#include "train/cli/cli.h"
#include "train/cli/compare_run.h"
#include "train/cli/progress.h"
#include "train/cli/stop.h"
#include "train/cli/stop_run.h"
#include "train/cli/terminal.h"
#include "train/config/config_sources.h"
#include "train/loop/run_folder.h"
#include "train/page/chart_page.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/text_uses.h"

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

struct DemoFlags {
  std::string out = "runs";
  std::int64_t seed = 1;
  int threads = 0;
  std::int64_t text_steps = 1200;
  std::int64_t image_epochs = 3;
  bool json = false;
};

/// A place for the demo's run: an earlier one of the same name makes room, anything else is left
/// alone.
fs::path make_room(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path / "config.json", error)) {
    for (const char* name :
         {"config.json", "metrics.jsonl", "last.safetensors", "best.safetensors", "summary.json"})
      fs::remove(path / name, error);
  }
  fs::path free = path;
  for (int number = 2;
       fs::exists(free, error) && !(fs::is_directory(free, error) && fs::is_empty(free, error));
       ++number) {
    free = fmt::format("{}-{}", path.string(), number);
  }
  return free;
}

train::Summary train_kind(const char* name, const train::Sources& sources,
                          const train::RunOptions& options) {
  const train::Kind& kind = train::find_kind(name, "demo");
  return train::train_run(kind, *train::resolve(kind, sources), options);
}

train::Summary train_text(const DemoFlags& flags) {
  train::Sources sources{.preset = "text-best", .file = {}};
  sources.flags = {{"steps", std::to_string(flags.text_steps)},
                   {"eval_every", std::to_string(std::max<std::int64_t>(1, flags.text_steps / 6))},
                   {"seed", std::to_string(flags.seed)},
                   {"threads", std::to_string(flags.threads)}};
  ProgressBar bar("text");
  std::optional<SaveFirst> saving;
  const train::RunOptions options =
      stoppable({.out = make_room(fs::path(flags.out) / "demo-text"), .observer = &bar}, saving);
  return train_kind("text", sources, options);
}

train::Summary train_images(const DemoFlags& flags) {
  train::Sources sources;
  sources.flags = {{"patch", "7"},
                   {"layers", "4"},
                   {"epochs", std::to_string(flags.image_epochs)},
                   {"eval_every", "215"},
                   {"seed", std::to_string(flags.seed)},
                   {"threads", std::to_string(flags.threads)}};
  ProgressBar bar("vision");
  std::optional<SaveFirst> saving;
  const train::RunOptions options =
      stoppable({.out = make_room(fs::path(flags.out) / "demo-vision"), .observer = &bar}, saving);
  return train_kind("vision", sources, options);
}

/// A place for the demo's comparison: an earlier demo's makes room.
std::string make_room_for_comparison(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path / "compare.json", error)) {
    for (const char* name : {"runs", "configs", "compare.json", "suite.toml", "sittings.json",
                             "sessions.json", "results.json", "results.csv", "report.html"})
      fs::remove_all(path / name, error);
  }
  fs::path free = path;
  for (int number = 2;
       fs::exists(free, error) && !(fs::is_directory(free, error) && fs::is_empty(free, error));
       ++number)
    free = fmt::format("{}-{}", path.string(), number);
  return free.string();
}

int stopped(const train::Summary& summary, const char* task) {
  put_line(
      fmt::format("stopped; the run is saved. Continue with:\n  weft train {} --resume --out {}",
                  task, summary.folder.string()));
  return stop_exit_code();
}

int demo(const DemoFlags& flags) {
  use_threads(flags.threads);
  put_line("1 of 3: a character GPT learns to write from Shakespeare");
  const train::Summary text = train_text(flags);
  if (text.interrupted || stop_requested()) return stopped(text, "text");
  put_line("2 of 3: a vision transformer learns to read digits from MNIST");
  const train::Summary images = train_images(flags);
  if (images.interrupted || stop_requested()) return stopped(images, "vision");
  put_line(
      "3 of 3: which models can relate different dimensions? A short comparison, several seeds of "
      "each");
  const std::unique_ptr<CompareOutcome> comparison =
      compare_suite({.out = make_room_for_comparison(fs::path(flags.out) / "demo-compare"),
                     .jobs = flags.threads,
                     .quick = true});
  if (!comparison->whole || stop_requested()) {
    put_line(
        fmt::format("stopped; finished runs are kept. Continue with:\n  weft compare "
                    "cross-dimension --quick --out {}",
                    comparison->folder.string()));
    return stop_exit_code();
  }

  std::string sample;
  train::load_as<train::TextWriter>(train::read_run(text.folder))
      ->write_text({.prompt = "", .chars = 400, .seed = flags.seed},
                   [&](const std::string& characters) {
                     sample += characters;
                     return true;
                   });
  const fs::path page = fs::path(flags.out) / "demo.html";
  const std::string text_figure = fmt::format(
      "Shakespeare: validation loss {:.3f} nats, {:.3f} bits per byte, after {} steps in {}",
      text.validation.loss, text.validation.figure("bits_per_byte"), text.steps,
      clock_text(text.seconds));
  const std::string image_figure = fmt::format(
      "MNIST: test accuracy {:.2f} % after {} epochs in {}", 100 * images.test.figure("accuracy"),
      flags.image_epochs, clock_text(images.seconds));
  report::write_page(
      page, {.title = "weft demo",
             .paragraphs = {text_figure, image_figure},
             .charts = {report::loss_chart(text.folder, "A character GPT on Shakespeare"),
                        report::loss_chart(images.folder, "A vision transformer on MNIST")},
             .texts = {{"A sample of its text", sample}}});
  if (flags.json) {
    const nlohmann::ordered_json json{{"text",
                                       {{"run", text.folder.string()},
                                        {"val_loss", text.validation.loss},
                                        {"seconds", text.seconds},
                                        {"sample", sample}}},
                                      {"vision",
                                       {{"run", images.folder.string()},
                                        {"test_accuracy", images.test.figure("accuracy")},
                                        {"seconds", images.seconds}}},
                                      {"comparison",
                                       {{"folder", comparison->folder.string()},
                                        {"report", (comparison->folder / "report.html").string()},
                                        {"seconds", comparison->seconds}}},
                                      {"picture", page.string()}};
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return kDone;
  }
  fmt::print("A sample of its text:\n\n{}\n\n{}\n{}\nLoss curves: {}\n\n", sample, text_figure,
             image_figure, page.string());
  fmt::print("{}The comparison: {}\n\n", findings_text(comparison->results),
             (comparison->folder / "report.html").string());
  fmt::print(
      "Next:\n  weft sample {} --prompt \"ROMEO:\"\n  weft predict {} --test-image 0 1 2\n  weft "
      "train text --preset text-best\n  weft compare --list\n",
      text.folder.string(), images.folder.string());
  return kDone;
}

}  // namespace

void add_demo(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("demo",
                                         "train on Shakespeare and on MNIST, compare models, and "
                                         "show the results (about four minutes on two cores)");
  const auto flags = std::make_shared<DemoFlags>();
  add_name(*command, "--out", flags->out,
           "folder for the runs, the comparison and the picture; runs of an earlier demo there are "
           "replaced")
      ->type_name("DIR");
  add_number(*command, "--text-steps", flags->text_steps, {1, 1e6}, "steps on Shakespeare");
  add_number(*command, "--image-epochs", flags->image_epochs, {1, 10000}, "epochs on MNIST");
  add_number(*command, "--seed", flags->seed, {0, kMostSeed}, "of both runs");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the results as JSON");
  command->footer("Example:\n  weft demo --seed 2");
  command->callback([flags, &action] { action = [flags] { return demo(*flags); }; });
}

}  // namespace weft::cli
