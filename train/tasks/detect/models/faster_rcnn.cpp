#include "nn/models/faster_rcnn.h"

#include "train/tasks/detect/detect_model.h"

namespace weft::train {
namespace {

struct DetectFasterRcnnChoices : ModelOptions {
  std::int64_t width = 64;

  void check() const override { check_quarters("faster_rcnn", width); }
  std::int64_t width_granularity() const override { return 4; }
};

class DetectFasterRcnnEntry : public DetectModelOf<DetectFasterRcnnChoices> {
 public:
  std::string name() const override { return "faster_rcnn"; }
  std::string about() const override { return "Faster R-CNN over convolutions"; }

  const Fields& fields() const override {
    static const Fields table = {{"width", "Model", &DetectFasterRcnnChoices::width,
                                  "features of a place of the map", 1, 1000000}};
    return table;
  }

  std::unique_ptr<nn::Detector> build(const DetectConfig& c,
                                      const ImageFacts& images) const override {
    nn::FasterRcnnConfig rcnn;
    set_images(rcnn, images);
    rcnn.validate();
    return std::make_unique<nn::FasterRcnn>(
        rcnn,
        std::make_unique<nn::ConvBackbone>(nn::ConvBackboneConfig{
            .channels = images.channels, .features = c.model.as<DetectFasterRcnnChoices>().width}));
  }
};

}  // namespace

const Entry& faster_rcnn_detect_model() {
  static const DetectFasterRcnnEntry entry;
  return entry;
}

}  // namespace weft::train
