// The models of sequence runs, the default one first. Each is a file in
// train/tasks/sequence/models/, which defines NAME_sequence_model(), and a line of this list.
#include "train/tasks/sequence/sequence_model.h"

#define WEFT_SEQUENCE_MODELS(ONE) \
  ONE(gpt)                        \
  ONE(encoder_decoder)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_sequence_model();
WEFT_SEQUENCE_MODELS(WEFT_DECLARE)

const Registry& sequence_models() {
#define WEFT_LIST(name) &name##_sequence_model(),
  static const Registry all("model", {WEFT_SEQUENCE_MODELS(WEFT_LIST)});
  return all;
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
