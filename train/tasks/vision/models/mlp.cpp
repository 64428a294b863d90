#include "nn/models/mlp.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {
namespace {

struct VisionMlpChoices : ModelOptions {
  std::int64_t layers = 2;
  std::int64_t width = 256;
  std::string activation = "relu";
  double dropout = 0;
};

class VisionMlpEntry : public VisionModelOf<VisionMlpChoices> {
 public:
  std::string name() const override { return "mlp"; }
  std::string about() const override { return "multi-layer perceptron"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"layers", "Model", &VisionMlpChoices::layers, "hidden layers", 1, 10000},
        {"width", "Model", &VisionMlpChoices::width, "hidden units of a layer", 1, 1000000},
        {"activation", "Model", &VisionMlpChoices::activation, "of the hidden layers", 0, 0,
         nn::choices<nn::Activation>()},
        {"dropout", "Model", &VisionMlpChoices::dropout,
         "dropout: fraction of activations dropped in training", 0, 0.99}};
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-3; }

  std::unique_ptr<nn::Model> build(const VisionConfig& c, const ImageFacts& images) const override {
    const auto& o = c.model.as<VisionMlpChoices>();
    nn::MlpConfig mlp;
    mlp.input_shape = Shape{images.channels, images.height, images.width};
    mlp.hidden.assign(static_cast<std::size_t>(o.layers), o.width);
    mlp.n_class = images.classes;
    mlp.activation = nn::from_name<nn::Activation>(o.activation, "activation");
    mlp.dropout = o.dropout;
    return std::make_unique<nn::Mlp>(mlp);
  }
};

}  // namespace

const Entry& mlp_vision_model() {
  static const VisionMlpEntry entry;
  return entry;
}

}  // namespace weft::train
