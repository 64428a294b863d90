#include "nn/models/vit.h"

#include <numeric>

#include "core/error.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {
namespace {

struct VisionVitChoices : BlockOptions {
  VisionVitChoices() {
    layers = 6;
    width = 64;
    init = "torch";
  }

  std::int64_t patch = 4;
  std::string pool = "mean";
};

class VisionVitEntry : public VisionModelOf<VisionVitChoices> {
 public:
  std::string name() const override { return "vit"; }
  std::string about() const override { return "vision transformer"; }

  const Fields& fields() const override {
    static const Fields table = [] {
      Fields all = {
          {"patch", "Model", &VisionVitChoices::patch, "patch size of vit, in pixels", 1, 10000},
          {"pool", "Model", &VisionVitChoices::pool,
           "pooling before the head: a class token (cls), or the mean of all tokens", 0, 0,
           nn::choices<nn::Pooling>()}};
      append(all, block_fields("transformer blocks", {"none", "learned", "sinusoidal", "rope"}));
      return all;
    }();
    return table;
  }

  std::unique_ptr<nn::Model> build(const VisionConfig& c, const ImageFacts& images) const override {
    const auto& o = c.model.as<VisionVitChoices>();
    nn::VitConfig vit;
    set_images(vit, images);
    vit.patch_size = o.patch;
    vit.pooling = nn::from_name<nn::Pooling>(o.pool, "pool");
    set_blocks(vit, o);
    return std::make_unique<nn::Vit>(vit);
  }

  void check_images(const VisionConfig& c, const ImageFacts& images) const override {
    const std::int64_t patch = c.model.as<VisionVitChoices>().patch;
    if (images.height % patch == 0 && images.width % patch == 0) return;
    fail<ConfigError>("config",
                      "patch must divide the image: patch {}, images {} x {}; choose a common "
                      "divisor of both sides, such as {}",
                      patch, images.height, images.width, std::gcd(images.height, images.width));
  }
};

}  // namespace

const Entry& vit_vision_model() {
  static const VisionVitEntry entry;
  return entry;
}

}  // namespace weft::train
