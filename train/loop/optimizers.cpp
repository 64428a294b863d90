// The optimizers, the default one first. Each is a file in train/loop/optimizers/, which defines
// NAME_optimizer(), and a line of this list.
#include "train/loop/optimizer_entry.h"

#define WEFT_OPTIMIZERS(ONE) \
  ONE(adamw)                 \
  ONE(sgd)                   \
  ONE(adam)                  \
  ONE(lion)                  \
  ONE(muon)                  \
  ONE(rmsprop)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_optimizer();
WEFT_OPTIMIZERS(WEFT_DECLARE)

const Registry& optimizers() {
#define WEFT_LIST(name) &name##_optimizer(),
  static const Registry all("optimizer", {WEFT_OPTIMIZERS(WEFT_LIST)});
  return all;
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
