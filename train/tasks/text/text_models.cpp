// The models of text runs, the default one first. Each is a file in train/tasks/text/models/, which
// defines NAME_text_model(), and a line of this list.
#include "train/tasks/text/text_model.h"

#define WEFT_TEXT_MODELS(ONE) \
  ONE(gpt)                    \
  ONE(lstm)

namespace weft::train {

#define WEFT_DECLARE(name) const Entry& name##_text_model();
WEFT_TEXT_MODELS(WEFT_DECLARE)

const Registry& text_models() {
#define WEFT_LIST(name) &name##_text_model(),
  static const Registry all("model", {WEFT_TEXT_MODELS(WEFT_LIST)});
  return all;
}

std::unique_ptr<nn::LanguageModel> build_model(const TextConfig& c, std::int64_t vocabulary) {
  return static_cast<const TextModel&>(c.model.entry()).build(c, vocabulary);
}

}  // namespace weft::train

#undef WEFT_DECLARE
#undef WEFT_LIST
