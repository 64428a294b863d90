#include "train/tasks/detect/detect_model.h"

#include <algorithm>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/find_data_set.h"
#include "data/image/annotated_images.h"
#include "data/synthetic/scenes.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {
namespace {

/// A folder with neither a list of boxes nor digits is most likely one's own pictures without the
/// list.
void check_folder(const std::string& name_or_path) {
  namespace fs = std::filesystem;
  const fs::path folder = data::find_data_set(name_or_path);
  std::error_code error;
  bool pictures = false;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string file = entry.path().filename().string();
    if (file.find("-idx") != std::string::npos) return;
    pictures = pictures || entry.path().extension() == ".png";
  }
  const std::string form =
      "one line per box: file,label,x0,y0,x1,y1 in pixels; or name a folder with the IDX files of "
      "digits, or mnist";
  if (!fs::is_directory(folder, error))
    fail<IoError>(folder.string(),
                  "is not a folder: for pictures of your own, name the folder that holds the PNG "
                  "files and boxes.csv, {}",
                  form);
  fail<IoError>(folder.string(), "has no boxes.csv{}: write one, {}",
                pictures ? " beside its PNG files" : "", form);
}

}  // namespace

std::string DetectionFacts::to_json() const {
  auto json = nlohmann::ordered_json::parse(images.to_json());
  json["class_names"] = classes;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

DetectionFacts DetectionFacts::from_json(const std::string& text, const std::string& where) {
  DetectionFacts facts{.images = ImageFacts::from_json(text, where), .classes = {}};
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.contains("class_names") && json["class_names"].is_array()) {
    for (const auto& name : json["class_names"])
      if (name.is_string()) facts.classes.push_back(name.get<std::string>());
  } else {  // as runs had it when there were digits only
    for (std::int64_t label = 0; label < facts.images.classes; ++label)
      facts.classes.push_back(std::to_string(label));
  }
  if (std::ssize(facts.classes) != facts.images.classes)
    fail<ConfigError>(where, "{} names of classes do not fit {} classes", facts.classes.size(),
                      facts.images.classes);
  return facts;
}

std::shared_ptr<const data::DetectionData> load_scenes(const DetectConfig& c) {
  if (data::has_boxes(c.data)) {
    const data::AnnotatedOptions options{
        .side = kSceneSide, .seed = static_cast<std::uint64_t>(c.seed), .old_rules = c.format < 3};
    return std::make_shared<data::AnnotatedImages>(c.data, options);
  }
  check_folder(c.data);
  data::SceneOptions options;
  options.size = kSceneSide;
  options.max_digits = c.max_digits;
  options.clutter = c.clutter;
  options.seed = static_cast<std::uint64_t>(c.seed);
  options.evaluation_scenes = c.eval_scenes;
  return std::make_shared<data::SceneData>(
      data::load_images(c.data, {.held_out = held_out(c.validation_rule)}), options);
}

DetectionFacts facts_of(const data::DetectionData& scenes) {
  const std::int64_t side = scenes.side();
  const std::vector<std::string> classes = scenes.classes();
  return {{.channels = 1,
           .height = side,
           .width = side,
           .classes = std::ssize(classes),
           .normalization = scenes.normalization(),
           .edges = scenes.edges()},
          classes};
}

void check_quarters(const std::string& model, std::int64_t width) {
  if (width % 4 == 0) return;
  fail<ConfigError>("config", "width must be a multiple of 4 in a {}, got {}; choose {}", model,
                    width, std::max<std::int64_t>(4, width / 4 * 4));
}

std::unique_ptr<nn::Detector> build_detector(const DetectConfig& c, const ImageFacts& images) {
  return model_of(c).build(c, images);
}

}  // namespace weft::train
