#include "core/error.h"
#include "nn/models/faster_rcnn.h"
#include "train/tasks/detect/detect_model.h"

namespace weft::train {
namespace {

constexpr std::int64_t kRcnnMapFeatures = 64;  // that the heads of Faster R-CNN read

struct DetectFasterRcnnVitChoices : BlockOptions {
  DetectFasterRcnnVitChoices() {
    width = 64;
    init = "torch";
  }

  std::int64_t patch = 8;

  void check() const override {
    BlockOptions::check();
    if (kSceneSide % patch == 0 && patch % 4 == 0) return;
    fail<ConfigError>("config",
                      "patch must be a multiple of 4 that divides the scene: patch {}, scenes {} "
                      "x {}; choose 4, 8, 12, 16, 24, 32, 48 or 96",
                      patch, kSceneSide, kSceneSide);
  }
};

class DetectFasterRcnnVitEntry : public DetectModelOf<DetectFasterRcnnVitChoices> {
 public:
  std::string name() const override { return "faster_rcnn_vit"; }
  std::string about() const override { return "Faster R-CNN over a vision transformer"; }

  const Fields& fields() const override {
    static const Fields table = [] {
      Fields all = {{"patch", "Model", &DetectFasterRcnnVitChoices::patch,
                     "patch size of the vision transformer, in pixels", 4, kSceneSide}};
      append(all, block_fields("blocks of the vision transformer",
                               {"none", "learned", "sinusoidal", "rope"}));
      return all;
    }();
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 5e-4; }

  std::unique_ptr<nn::Detector> build(const DetectConfig& c,
                                      const ImageFacts& images) const override {
    const auto& o = c.model.as<DetectFasterRcnnVitChoices>();
    nn::FasterRcnnConfig rcnn;
    set_images(rcnn, images);
    rcnn.validate();
    nn::VitBackboneConfig vit;
    set_images(vit.vit, images);
    vit.vit.patch_size = o.patch;
    set_blocks(vit.vit, o);
    vit.features = kRcnnMapFeatures;
    vit.upsample = o.patch / 4;  // the map's stride is that of the convolutions
    return std::make_unique<nn::FasterRcnn>(rcnn, std::make_unique<nn::VitBackbone>(vit));
  }
};

}  // namespace

const Entry& faster_rcnn_vit_detect_model() {
  static const DetectFasterRcnnVitEntry entry;
  return entry;
}

}  // namespace weft::train
