// The models of vision runs, the default one first. Each is a file in train/tasks/vision/models/,
// which defines NAME_vision_model(), and a line of this list.
#include "train/tasks/vision/vision_model.h"

#define WEFT_VISION_MODELS(ONE) \
  ONE(vit)                      \
  ONE(mlp)                      \
  ONE(cnn)                      \
  ONE(lenet)                    \
  ONE(resnet)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_vision_model();
WEFT_VISION_MODELS(WEFT_DECLARE)

const Registry& vision_models() {
#define WEFT_LIST(name) &name##_vision_model(),
  static const Registry all("model", {WEFT_VISION_MODELS(WEFT_LIST)});
  return all;
}

std::unique_ptr<nn::Model> build_model(const VisionConfig& c, const ImageFacts& images) {
  return static_cast<const VisionModel&>(c.model.entry()).build(c, images);
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
