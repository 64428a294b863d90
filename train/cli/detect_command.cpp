// weft detect
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.h"
#include "data/image/png.h"
#include "train/cli/cli.h"
#include "train/kinds/detect/detect_model.h"
#include "train/kinds/detect/draw_boxes.h"

namespace weft::cli {
namespace {

using Json = nlohmann::ordered_json;

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

/// A picture of the model's size, and what is known to be in it.
struct Subject {
  std::string name;
  Tensor pixels;
  std::vector<nn::BoxTarget> objects{};
  double scale_x = 1, scale_y = 1;  ///< pixels of the file for one of the model's
};

std::vector<Subject> subjects(const DetectFlags& flags, const train::DetectRun& run) {
  const std::int64_t height = run.images.height, width = run.images.width;
  std::vector<Subject> all;
  for (const std::string& file : flags.files) {
    Subject one{.name = file, .pixels = data::load_png(file, 1)};
    one.scale_x = static_cast<double>(one.pixels.size(2)) / static_cast<double>(width);
    one.scale_y = static_cast<double>(one.pixels.size(1)) / static_cast<double>(height);
    if (one.pixels.size(1) != height || one.pixels.size(2) != width) one.pixels = data::resize_images(one.pixels, height, width);
    if (flags.invert == "yes" || (flags.invert == "auto" && data::looks_inverted(one.pixels, run.images.normalization))) one.pixels = data::invert_image(one.pixels);
    all.push_back(std::move(one));
  }
  if (flags.scenes.empty()) return all;
  const auto scenes = train::load_scenes(run.config);
  for (const std::int64_t number : flags.scenes) {
    const data::Scene scene = scenes->scene(data::Split::test, number);
    const Tensor boxes = raw::reshape(scene.boxes, {1, scene.boxes.size(0), 5});
    all.push_back({.name = fmt::format("test scene {}", number), .pixels = scene.image, .objects = nn::box_targets(boxes, height, width, run.images.classes, "scenes")[0]});
  }
  return all;
}

/// FILE.png for one picture, FILE-1.png, FILE-2.png, ... for several.
std::string out_path(const std::string& out, std::size_t index, std::size_t count) {
  if (count == 1) return out;
  const std::filesystem::path path(out);
  return (path.parent_path() / fmt::format("{}-{}{}", path.stem().string(), index + 1, path.extension().string())).string();
}

int detect(const DetectFlags& flags) {
  use_threads(flags.threads);
  if (flags.files.empty() && flags.scenes.empty()) fail<ConfigError>("detect", "name PNG files, or test scenes with --scene");
  if (!(flags.threshold >= 0 && flags.threshold <= 1)) fail<ConfigError>("detect", "--threshold must be a number from 0 to 1, got {}", flags.threshold);
  const train::DetectRun run = train::load_detect_run(train::read_run(flags.run, flags.checkpoint));
  const std::vector<Subject> all = subjects(flags, run);
  Json list = Json::array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Subject& one = all[i];
    const Tensor input = data::normalize(raw::reshape(one.pixels, {1, 1, run.images.height, run.images.width}), run.images.normalization);
    std::vector<nn::Detection> found = run.model->detect(input)[0];
    std::erase_if(found, [&](const nn::Detection& d) { return d.score < flags.threshold; });
    const auto json_box = [&](const nn::Box& b) { return Json{b.x0 * one.scale_x, b.y0 * one.scale_y, b.x1 * one.scale_x, b.y1 * one.scale_y}; };
    Json entry{{"name", one.name}, {"detections", Json::array()}};
    if (!flags.json) fmt::print("{}: {} found{}\n", one.name, found.size(), one.objects.empty() ? "" : fmt::format(" of {}", one.objects.size()));
    for (const nn::Detection& d : found) {
      const double hit = std::accumulate(one.objects.begin(), one.objects.end(), 0.0,
                                         [&](double best, const nn::BoxTarget& o) { return o.label == d.label ? std::max(best, nn::box_iou(o.box, d.box)) : best; });
      Json row{{"class", d.label}, {"name", run.classes[static_cast<std::size_t>(d.label)]}, {"score", d.score}, {"box", json_box(d.box)}};
      if (!one.objects.empty()) row["iou"] = hit;
      entry["detections"].push_back(row);
      if (!flags.json)
        fmt::print("  {}  {:5.1f} %  x {:.1f} to {:.1f}, y {:.1f} to {:.1f}{}\n", run.classes[static_cast<std::size_t>(d.label)], 100 * d.score, d.box.x0 * one.scale_x, d.box.x1 * one.scale_x,
                   d.box.y0 * one.scale_y, d.box.y1 * one.scale_y,
                   one.objects.empty() ? "" : hit > 0 ? fmt::format("  (IoU {:.2f})", hit) : std::string("  (there is none)"));
    }
    if (!one.objects.empty()) {
      entry["objects"] = Json::array();
      for (const nn::BoxTarget& o : one.objects) entry["objects"].push_back({{"class", o.label}, {"name", run.classes[static_cast<std::size_t>(o.label)]}, {"box", json_box(o.box)}});
    }
    if (!flags.out.empty()) {
      const std::string path = out_path(flags.out, i, all.size());
      data::save_png(path, train::draw_boxes(one.pixels, found, one.objects));
      entry["picture"] = path;
      if (!flags.json) fmt::print("  drawn into {}\n", path);
    }
    list.push_back(std::move(entry));
  }
  if (flags.json) fmt::print("{}\n", list.dump(2, ' ', false, Json::error_handler_t::replace));
  return kDone;
}

}  // namespace

void add_detect(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("detect", "find digits, or your own objects, with a trained detector, and draw their boxes");
  const auto flags = std::make_shared<DetectFlags>();
  command->add_option("run", flags->run, "folder of a detect run, or a checkpoint")->required()->type_name("RUN");
  command->add_option("files", flags->files, "PNG files; they are scaled to the model's size")->type_name("PNG");
  command->add_option("--scene", flags->scenes, "numbers of test scenes, from 0")->type_name("INT");
  command->add_option("--out", flags->out, "draw the boxes into this PNG: found ones in colours, true ones dotted (several pictures: FILE-1.png, ...)")->type_name("PNG");
  command->add_option("--threshold", flags->threshold, "least score that is shown")->capture_default_str();
  command->add_option("--invert", flags->invert, "light and dark exchanged: auto, yes, no; auto looks at the edge")->capture_default_str()->check(CLI::IsMember({"auto", "yes", "no"}));
  command->add_option("--checkpoint", flags->checkpoint, "last or best")->capture_default_str()->check(CLI::IsMember({"last", "best"}));
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print as JSON");
  command->footer("Example:\n  weft detect runs/scenes --scene 0 1 2 --out boxes.png");
  command->callback([flags, &action] { action = [flags] { return detect(*flags); }; });
}

}  // namespace weft::cli
