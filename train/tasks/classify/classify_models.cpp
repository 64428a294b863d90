// The models of classify runs, the default one first. Each is a file in
// train/tasks/classify/models/, which defines NAME_classify_model(), and a line of this list.
#include "train/tasks/classify/classify_model.h"

#define WEFT_CLASSIFY_MODELS(ONE) \
  ONE(bert)                       \
  ONE(bow)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_classify_model();
WEFT_CLASSIFY_MODELS(WEFT_DECLARE)

const Registry& classify_models() {
#define WEFT_LIST(name) &name##_classify_model(),
  static const Registry all("model", {WEFT_CLASSIFY_MODELS(WEFT_LIST)});
  return all;
}

std::unique_ptr<nn::Model> build_classifier(const ClassifyConfig& c, std::int64_t vocabulary,
                                            std::int64_t classes) {
  return static_cast<const ClassifyModel&>(c.model.entry()).build(c, vocabulary, classes);
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
