#include "nn/models/gpt.h"

#include "train/tasks/text/text_model.h"

namespace weft::train {
namespace {

struct TextGptChoices : BlockOptions {
  bool tie = true;
  double logit_cap = 0;
};

class TextGptEntry : public TextModelOf<TextGptChoices> {
 public:
  std::string name() const override { return "gpt"; }
  std::string about() const override { return "transformer of one stack, as GPT-2"; }

  const Fields& fields() const override {
    static const Fields table = [] {
      Fields all = block_fields("transformer blocks");
      append(all,
             {{"tie", "Model", &TextGptChoices::tie, "the head shares the embedding's weights"},
              {"logit_cap", "Model", &TextGptChoices::logit_cap,
               "soft limit of the logits, +-cap (0: none)", 0, 1e6}});
      return all;
    }();
    return table;
  }

  std::unique_ptr<nn::LanguageModel> build(const TextConfig& c,
                                           std::int64_t vocabulary) const override {
    const auto& o = c.model.as<TextGptChoices>();
    nn::GptConfig gpt;
    gpt.vocab_size = vocabulary;
    gpt.block_size = c.context;
    set_blocks(gpt, o);
    gpt.tie_weights = o.tie;
    gpt.logit_cap = o.logit_cap;
    return std::make_unique<nn::Gpt>(gpt);
  }
};

}  // namespace

const Entry& gpt_text_model() {
  static const TextGptEntry entry;
  return entry;
}

}  // namespace weft::train
