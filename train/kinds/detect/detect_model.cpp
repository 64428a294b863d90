#include "train/kinds/detect/detect_model.h"

#include "core/error.h"
#include "nn/models/detr.h"
#include "nn/models/faster_rcnn.h"
#include "train/build.h"

namespace weft::train {
namespace {

constexpr std::int64_t kMapFeatures = 64;  // that the heads of Faster R-CNN read from a transformer

}  // namespace

data::SceneData load_scenes(const DetectConfig& c) {
  data::SceneOptions options;
  options.size = kSceneSide;
  options.max_digits = c.max_digits;
  options.clutter = c.clutter;
  options.seed = static_cast<std::uint64_t>(c.seed);
  options.evaluation_scenes = c.eval_scenes;
  return {data::load_images(c.data), options};
}

ImageFacts facts_of(const data::SceneData& scenes) {
  const std::int64_t side = scenes.options().size;
  return {.channels = 1, .height = side, .width = side, .classes = scenes.classes(), .normalization = scenes.normalization()};
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
    auto map = std::make_unique<nn::ConvBackbone>(nn::ConvBackboneConfig{.channels = images.channels, .features = kMapFeatures, .stride = 8});
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
    map = std::make_unique<nn::ConvBackbone>(nn::ConvBackboneConfig{.channels = images.channels, .features = c.width});
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

DetectRun load_detect_run(const RunFacts& run) {
  const std::string where = run.checkpoint.string();
  if (run.task != "detect") fail<ConfigError>(where, "belongs to a {} run; this command wants a detect run", run.task);
  DetectRun loaded;
  loaded.config = config_from_json<DetectConfig>(run.config_json, where);
  loaded.images = ImageFacts::from_json(run.facts.data, where);
  loaded.model = build_detector(loaded.config, loaded.images);
  load_weights(run.checkpoint, *loaded.model);
  loaded.model->eval();
  loaded.progress = run.facts.progress;
  return loaded;
}

}  // namespace weft::train
