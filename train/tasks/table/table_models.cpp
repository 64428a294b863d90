// The models of table runs, the default one first. Each is a file in train/tasks/table/models/,
// which defines NAME_table_model(), and a line of this list.
#include "train/tasks/table/table_model.h"

#define WEFT_TABLE_MODELS(ONE) \
  ONE(ft)                      \
  ONE(mlp)                     \
  ONE(linear)                  \
  ONE(fm)                      \
  ONE(transformer)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_table_model();
WEFT_TABLE_MODELS(WEFT_DECLARE)

const Registry& table_models() {
#define WEFT_LIST(name) &name##_table_model(),
  static const Registry all("model", {WEFT_TABLE_MODELS(WEFT_LIST)});
  return all;
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
