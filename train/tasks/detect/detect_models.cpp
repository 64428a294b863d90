// The models of detect runs, the default one first. Each is a file in train/tasks/detect/models/,
// which defines NAME_detect_model(), and a line of this list.
#include "train/tasks/detect/detect_model.h"

#define WEFT_DETECT_MODELS(ONE) \
  ONE(faster_rcnn)              \
  ONE(faster_rcnn_vit)          \
  ONE(detr)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_detect_model();
WEFT_DETECT_MODELS(WEFT_DECLARE)

const Registry& detect_models() {
#define WEFT_LIST(name) &name##_detect_model(),
  static const Registry all("model", {WEFT_DETECT_MODELS(WEFT_LIST)});
  return all;
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
