// Networks that look at images: classifiers, and detectors on random boxes.
#include <algorithm>

#include "autograd/ops/loss.h"
#include "core/error.h"
#include "core/shape_only.h"
#include "nn/backbone.h"
#include "nn/models/cnn.h"
#include "nn/models/detr.h"
#include "nn/models/faster_rcnn.h"
#include "nn/models/lenet.h"
#include "nn/models/resnet.h"
#include "train/bench/plan.h"

namespace weft::bench {
namespace {

constexpr std::int64_t kMostImages = 1 << 20;
constexpr std::int64_t kScene = 96, kSceneBoxes = 4, kSceneClasses = 10;
constexpr std::int64_t kDetrFeatures = 64;  // of the map that DETR reads, as in `weft train detect`

/// A classifier of square images of one channel on a batch of random ones.
template <class M, class C>
Work classify(const Plan& p, Generator& data, C config) {
  config.image_height = config.image_width = p["image"];
  const auto model = std::make_shared<M>(config);
  const Tensor images = Tensor::empty({p["batch"], config.channels, p["image"], p["image"]});
  data.fill_uniform(images);
  const Tensor classes = random_ids({p["batch"]}, config.n_class, data);
  return {model, [=] { return cross_entropy((*model)(images), classes); }};
}

/// Scenes of noise with four boxes each, 16 to 40 pixels high.
Work find_boxes(const Plan& p, Generator& data, const std::shared_ptr<nn::Detector>& model) {
  const Tensor images = Tensor::empty({p["batch"], 1, kScene, kScene}),
               boxes = Tensor::empty({p["batch"], kSceneBoxes, 5});
  data.fill_uniform(images);
  auto* row = boxes.data<float>();
  for (std::int64_t i = 0; i < p["batch"] * kSceneBoxes && !shape_only(); ++i, row += 5) {
    const auto draw = [&](std::int64_t low, std::int64_t high) {
      return static_cast<float>(
          low + static_cast<std::int64_t>(data.next_below(static_cast<std::uint64_t>(high - low))));
    };
    const float height = draw(16, 41), width = draw(8, 25);
    row[0] = draw(0, kSceneClasses);
    row[1] = draw(0, kScene - 24);
    row[2] = draw(0, kScene - 40);
    row[3] = row[1] + width;
    row[4] = row[2] + height;
  }
  return {model, [=] { return model->loss(images, boxes); }};
}

Work make_faster_rcnn(const Plan& p, Generator& data) {
  auto map = std::make_unique<nn::ConvBackbone>(nn::ConvBackboneConfig{.features = p["width"]});
  return find_boxes(p, data,
                    std::make_shared<nn::FasterRcnn>(nn::FasterRcnnConfig{}, std::move(map)));
}

Work make_detr(const Plan& p, Generator& data) {
  auto map = std::make_unique<nn::ConvBackbone>(
      nn::ConvBackboneConfig{.features = kDetrFeatures, .stride = 8});
  nn::DetrConfig config;
  config.n_layer = p["layers"];
  config.n_head = p["heads"];
  config.n_embd = p["width"];
  config.n_query = p["queries"];
  return find_boxes(p, data, std::make_shared<nn::Detr>(config, std::move(map)));
}

void check_quarters(const Plan& p) {
  if (p["width"] % 4 != 0)
    fail<ConfigError>("bench", "width must be a multiple of 4, got {}", p["width"]);
}

}  // namespace

std::vector<BenchModel> image_models() {
  const auto images = [](const Plan& p) { return p["batch"]; };
  const Size side{"image", 28, 4096, "height and width of an image"},
      batch{"batch", 128, kMostImages, "images per step"},
      scenes{"batch", 8, kMostImages, "scenes per step"};
  std::vector<BenchModel> all;
  all.push_back({.name = "lenet",
                 .title = "LeNet-5",
                 .about = "training steps of LeNet-5 on random images",
                 .item = "images",
                 .sizes = {{"image", 28, 4096, "height and width of an image", 12}, batch},
                 .items = images,
                 .check = {},
                 .make = [](const Plan& p, Generator& data) {
                   return classify<nn::Lenet>(p, data, nn::LenetConfig{});
                 }});
  all.push_back({.name = "cnn",
                 .title = "CNN",
                 .about = "training steps of a small convolutional network on random images",
                 .item = "images",
                 .sizes = {{"width", 128, 1 << 16, "of the hidden layer"},
                           {"image", 28, 4096, "height and width of an image", 4},
                           batch},
                 .items = images,
                 .check = {},
                 .make = [](const Plan& p, Generator& data) {
                   nn::CnnConfig config;
                   config.hidden = p["width"];
                   return classify<nn::Cnn>(p, data, config);
                 }});
  all.push_back({.name = "resnet",
                 .title = "ResNet",
                 .about = "training steps of a small ResNet on random images",
                 .item = "images",
                 .sizes = {{"layers", 1, 1000, "blocks of each of the three stages"},
                           {"width", 16, 1 << 12, "channels of the first stage"},
                           side,
                           batch},
                 .items = images,
                 .check = {},
                 .make = [](const Plan& p, Generator& data) {
                   nn::ResnetConfig config;
                   config.width = p["width"];
                   config.blocks = p["layers"];
                   return classify<nn::Resnet>(p, data, config);
                 }});
  all.push_back({.name = "faster_rcnn",
                 .title = "Faster R-CNN",
                 .about = "training steps of Faster R-CNN over convolutions, on noise of 96 x 96 "
                          "with random boxes",
                 .item = "images",
                 .sizes = {{"width", 64, 1 << 12, "features of the map"}, scenes},
                 .items = images,
                 .check = check_quarters,
                 .make = make_faster_rcnn});
  all.push_back({.name = "detr",
                 .title = "DETR",
                 .about = "training steps of DETR, on noise of 96 x 96 with random boxes",
                 .item = "images",
                 .sizes = {{"layers", 3, 1000, "of the encoder, and of the decoder"},
                           {"heads", 4, 4096, "attention heads"},
                           {"width", 64, 1 << 12, "features of a token"},
                           {"queries", 12, 1000,
                            "object queries: the most objects that it can find", kSceneBoxes},
                           scenes},
                 .items = images,
                 .check =
                     [](const Plan& p) {
                       check_heads(p);
                       check_quarters(p);
                     },
                 .make = make_detr});
  return all;
}

}  // namespace weft::bench
