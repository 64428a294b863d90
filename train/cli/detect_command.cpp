// weft detect
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>

#include "core/error.h"
#include "core/phase.h"
#include "data/image/png.h"
#include "train/cli/answers.h"
#include "train/cli/cli.h"
#include "train/cli/run_words.h"
#include "train/cli/terminal.h"
#include "train/tasks/common/image_uses.h"
#include "train/tasks/common/loaded_run.h"

namespace weft::cli {
namespace {

using Json = Answers::Json;

struct DetectFlags {
  std::string run;
  std::vector<std::string> files;
  std::vector<std::int64_t> scenes;
  std::string out;
  std::string checkpoint = "last";
  std::string invert = "auto";
  double threshold = 0.5;
  int threads = 0;
  bool json = false;
};

/// FILE.png for one picture, FILE-1.png, FILE-2.png, ... for several.
std::string out_path(const std::string& out, std::size_t index, std::size_t count) {
  if (count == 1) return out;
  const std::filesystem::path path(out);
  return (path.parent_path() /
          fmt::format("{}-{}{}", path.stem().string(), index + 1, path.extension().string()))
      .string();
}

/// What was found in a picture, printed or put into its entry, and drawn.
void show(const train::ObjectDetector& run, train::SeenPicture one, const std::string& name,
          const DetectFlags& flags, const std::string& out, Json& entry) {
  if (one.inverted && flags.invert == "auto")
    put_line(fmt::format("weft: {}; --invert no reads it unchanged", one.note));
  std::erase_if(one.found, [&](const nn::Detection& d) { return d.score < flags.threshold; });
  if (!out.empty()) data::save_png(out, run.draw(one));
  const auto json_box = [&](const nn::Box& b) {
    return Json{b.x0 * one.scale_x, b.y0 * one.scale_y, b.x1 * one.scale_x, b.y1 * one.scale_y};
  };
  entry["detections"] = Json::array();
  entry["inverted"] = one.inverted;
  if (!flags.json) {
    fmt::print("{}: {} found{}{}\n", name, one.found.size(),
               one.objects.empty() ? "" : fmt::format(" of {}", one.objects.size()),
               one.inverted ? "  (read with light and dark inverted)" : "");
  }
  for (const nn::Detection& d : one.found) {
    const double hit = std::accumulate(
        one.objects.begin(), one.objects.end(), 0.0, [&](double best, const nn::BoxTarget& o) {
          return o.label == d.label ? std::max(best, nn::box_iou(o.box, d.box)) : best;
        });
    Json row{{"class", d.label},
             {"name", run.class_name(d.label)},
             {"score", d.score},
             {"box", json_box(d.box)}};
    if (!one.objects.empty()) row["iou"] = hit;
    entry["detections"].push_back(row);
    if (flags.json) continue;
    fmt::print("  {}  {:5.1f} %  x {:.1f} to {:.1f}, y {:.1f} to {:.1f}{}\n",
               run.class_name(d.label), 100 * d.score, d.box.x0 * one.scale_x,
               d.box.x1 * one.scale_x, d.box.y0 * one.scale_y, d.box.y1 * one.scale_y,
               one.objects.empty() ? ""
               : hit > 0           ? fmt::format("  (IoU {:.2f})", hit)
                                   : std::string("  (there is none)"));
  }
  if (!one.objects.empty()) {
    entry["objects"] = Json::array();
    for (const nn::BoxTarget& o : one.objects)
      entry["objects"].push_back(
          {{"class", o.label}, {"name", run.class_name(o.label)}, {"box", json_box(o.box)}});
  }
  if (out.empty()) return;
  entry["picture"] = out;
  if (!flags.json) fmt::print("  drawn into {}\n", out);
}

int detect(const DetectFlags& flags) {
  use_threads(flags.threads);
  if (flags.files.empty() && flags.scenes.empty())
    fail<ConfigError>("detect", "nothing to detect: name PNG files, or test scenes with --scene");
  const auto run =
      train::load_as<train::ObjectDetector>(train::read_run(flags.run, flags.checkpoint));
  const Phase phase("detecting objects");
  Answers answers(flags.json);
  const std::size_t count = flags.files.size() + flags.scenes.size();
  std::size_t index = 0;
  const auto path = [&] {
    return flags.out.empty() ? std::string() : out_path(flags.out, index++, count);
  };
  for (const std::string& file : flags.files) {
    const std::string out = path();
    answers.add("name", file, [&](Json& entry) {
      show(*run, run->look_at_file(file, flags.invert), file, flags, out, entry);
    });
  }
  for (const std::int64_t number : flags.scenes) {
    const std::string out = path(), name = fmt::format("test scene {}", number);
    answers.add("name", name, [&](Json& entry) {
      show(*run, run->look_at_scene(number), name, flags, out, entry);
    });
  }
  return answers.finish();
}

}  // namespace

void add_detect(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "detect", "find digits, or your own objects, with a trained detector, and draw their boxes");
  const auto flags = std::make_shared<DetectFlags>();
  add_name(*command, "run", flags->run, folder_of({train::Use::detect}))
      ->required()
      ->type_name("RUN");
  add_texts(*command, "files", flags->files, "PNG files; they are scaled to the model's size")
      ->type_name("PNG");
  add_numbers(*command, "--scene", flags->scenes, {0, train::kMany},
              "numbers of test scenes, from 0");
  add_name(*command, "--out", flags->out,
           "draw the boxes into this PNG: found ones in colors, true ones dotted (several "
           "pictures: FILE-1.png, ...)")
      ->type_name("PNG");
  add_number(*command, "--threshold", flags->threshold, {0, 1}, "lowest score that is shown");
  add_choice(*command, "--invert", flags->invert, {"auto", "yes", "no"},
             "invert light and dark in files; auto: where the edge is light and those of all "
             "training images are dark, or vice versa");
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print as JSON");
  command->footer("Example:\n  weft detect runs/scenes --scene 0 1 2 --out boxes.png");
  command->callback([flags, command, &action] {
    action = [flags, given = given_to(*command)] {
      if (flags->files.empty())
        refuse_given("detect", given, {"--invert"}, "no files, as test scenes are as they are");
      return detect(*flags);
    };
  });
}

}  // namespace weft::cli
