// The models of tokens runs, the default one first. Each is a file in train/tasks/tokens/models/,
// which defines NAME_tokens_model(), and a line of this list.
#include "train/tasks/tokens/tokens_model.h"

#define WEFT_TOKENS_MODELS(ONE) \
  ONE(transformer)              \
  ONE(linear)                   \
  ONE(fm)                       \
  ONE(mlp)                      \
  ONE(cnn)                      \
  ONE(ft)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_tokens_model();
WEFT_TOKENS_MODELS(WEFT_DECLARE)

const Registry& tokens_models() {
#define WEFT_LIST(name) &name##_tokens_model(),
  static const Registry all("model", {WEFT_TOKENS_MODELS(WEFT_LIST)});
  return all;
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
