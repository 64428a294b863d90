#include "nn/models/resnet.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {
namespace {

struct VisionResnetChoices : ModelOptions {
  std::int64_t layers = 1;
  std::int64_t width = 16;
};

class VisionResnetEntry : public VisionModelOf<VisionResnetChoices> {
 public:
  std::string name() const override { return "resnet"; }
  std::string about() const override { return "residual net"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"layers", "Model", &VisionResnetChoices::layers, "blocks of each of the three stages", 1,
         10000},
        {"width", "Model", &VisionResnetChoices::width, "channels of the first stage", 1, 1000000}};
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-2; }

  std::unique_ptr<nn::Model> build(const VisionConfig& c, const ImageFacts& images) const override {
    const auto& o = c.model.as<VisionResnetChoices>();
    return std::make_unique<nn::Resnet>(nn::ResnetConfig{
        images.classes, images.height, images.width, images.channels, o.width, o.layers});
  }
};

}  // namespace

const Entry& resnet_vision_model() {
  static const VisionResnetEntry entry;
  return entry;
}

}  // namespace weft::train
