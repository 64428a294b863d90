#include "nn/models/lenet.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {
namespace {

class VisionLenetEntry : public VisionModelOf<ModelOptions> {
 public:
  std::string name() const override { return "lenet"; }
  std::string about() const override { return "LeNet-5"; }

  const Fields& fields() const override {
    static const Fields table;
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-3; }

  std::unique_ptr<nn::Model> build(const VisionConfig&, const ImageFacts& images) const override {
    return std::make_unique<nn::Lenet>(
        nn::LenetConfig{images.classes, images.height, images.width, images.channels});
  }
};

}  // namespace

const Entry& lenet_vision_model() {
  static const VisionLenetEntry entry;
  return entry;
}

}  // namespace weft::train
