#include "train/tasks/detect/detect_model.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/find_data_set.h"
#include "data/image/annotated_images.h"
#include "data/synthetic/scenes.h"
#include "nn/models/detr.h"
#include "nn/models/faster_rcnn.h"
#include "train/loop/build_optimizer.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {
namespace {

constexpr std::int64_t kMapFeatures = 64;  // that the heads of Faster R-CNN read from a transformer

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

std::unique_ptr<nn::Detector> build_detector(const DetectConfig& c, const ImageFacts& images) {
  if (c.model == "detr") {
    nn::DetrConfig detr;
    detr.n_class = images.classes;
    detr.image_height = images.height;
    detr.image_width = images.width;
    detr.channels = images.channels;
    detr.n_layer = c.layers;
    detr.n_head = c.heads;
    detr.n_embd = c.width;
    detr.mlp_ratio = c.mlp_ratio;
    detr.dropout = c.dropout;
    detr.n_query = c.queries;
    detr.validate();
    auto map = std::make_unique<nn::ConvBackbone>(
        nn::ConvBackboneConfig{.channels = images.channels, .features = kMapFeatures, .stride = 8});
    return std::make_unique<nn::Detr>(detr, std::move(map));
  }
  nn::FasterRcnnConfig rcnn;
  rcnn.n_class = images.classes;
  rcnn.image_height = images.height;
  rcnn.image_width = images.width;
  rcnn.channels = images.channels;
  rcnn.validate();
  std::unique_ptr<nn::Backbone> map;
  if (c.model == "faster_rcnn") {
    map = std::make_unique<nn::ConvBackbone>(
        nn::ConvBackboneConfig{.channels = images.channels, .features = c.width});
  } else {
    nn::VitBackboneConfig vit;
    vit.vit.image_height = images.height;
    vit.vit.image_width = images.width;
    vit.vit.channels = images.channels;
    vit.vit.patch_size = c.patch;
    set_blocks(vit.vit, c, c.positions);
    vit.features = kMapFeatures;
    vit.upsample = c.patch / 4;  // the map's stride is that of the convolutions
    map = std::make_unique<nn::VitBackbone>(vit);
  }
  return std::make_unique<nn::FasterRcnn>(rcnn, std::move(map));
}

}  // namespace weft::train
