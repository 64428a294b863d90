#include "nn/models/cnn.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {
namespace {

struct VisionCnnChoices : ModelOptions {
  std::int64_t width = 128;
  double dropout = 0;
};

class VisionCnnEntry : public VisionModelOf<VisionCnnChoices> {
 public:
  std::string name() const override { return "cnn"; }
  std::string about() const override { return "convolutional net of two layers"; }

  const Fields& fields() const override {
    static const Fields table = {{"width", "Model", &VisionCnnChoices::width,
                                  "units of the hidden layer behind the convolutions", 1, 1000000},
                                 {"dropout", "Model", &VisionCnnChoices::dropout,
                                  "dropout: fraction of activations dropped in training", 0, 0.99}};
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-3; }

  std::unique_ptr<nn::Model> build(const VisionConfig& c, const ImageFacts& images) const override {
    const auto& o = c.model.as<VisionCnnChoices>();
    nn::CnnConfig cnn;
    set_images(cnn, images);
    cnn.hidden = o.width;
    cnn.dropout = o.dropout;
    return std::make_unique<nn::Cnn>(cnn);
  }
};

}  // namespace

const Entry& cnn_vision_model() {
  static const VisionCnnEntry entry;
  return entry;
}

}  // namespace weft::train
