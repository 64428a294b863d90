#include "nn/models/detr.h"

#include "train/tasks/detect/detect_model.h"

namespace weft::train {
namespace {

constexpr std::int64_t kDetrMapFeatures = 64;  // of the convolutions below it

struct DetectDetrChoices : LayerOptions {
  DetectDetrChoices() {
    layers = 3;
    width = 64;
  }

  std::int64_t queries = 12;

  void check() const override {
    LayerOptions::check();
    check_quarters("detr", width);
  }
  std::int64_t width_granularity() const override { return 4 * heads; }
};

class DetectDetrEntry : public DetectModelOf<DetectDetrChoices> {
 public:
  std::string name() const override { return "detr"; }
  std::string about() const override { return "DETR, a set of objects from queries"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"layers", "Model", &DetectDetrChoices::layers, "layers of the encoder and of the decoder",
         1, 10000},
        {"heads", "Model", &DetectDetrChoices::heads, "attention heads", 1, 10000},
        {"width", "Model", &DetectDetrChoices::width, "size of the vector that represents a place",
         1, 1000000},
        {"mlp_ratio", "Model", &DetectDetrChoices::mlp_ratio,
         "feed-forward size, as a multiple of width", 0.01, 1000},
        {"dropout", "Model", &DetectDetrChoices::dropout,
         "dropout: fraction of activations dropped in training", 0, 0.99},
        {"queries", "Model", &DetectDetrChoices::queries,
         "object queries of detr: the most objects that it can find", 1, 1000}};
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 5e-4; }
  std::int64_t most_objects(const DetectConfig& c) const override {
    return c.model.as<DetectDetrChoices>().queries;
  }

  std::unique_ptr<nn::Detector> build(const DetectConfig& c,
                                      const ImageFacts& images) const override {
    const auto& o = c.model.as<DetectDetrChoices>();
    nn::DetrConfig detr;
    set_images(detr, images);
    detr.n_layer = o.layers;
    detr.n_head = o.heads;
    detr.n_embd = o.width;
    detr.mlp_ratio = o.mlp_ratio;
    detr.dropout = o.dropout;
    detr.n_query = o.queries;
    detr.validate();
    auto map = std::make_unique<nn::ConvBackbone>(nn::ConvBackboneConfig{
        .channels = images.channels, .features = kDetrMapFeatures, .stride = 8});
    return std::make_unique<nn::Detr>(detr, std::move(map));
  }
};

}  // namespace

const Entry& detr_detect_model() {
  static const DetectDetrEntry entry;
  return entry;
}

}  // namespace weft::train
