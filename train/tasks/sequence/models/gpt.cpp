#include "nn/models/gpt.h"
#include "train/tasks/sequence/sequence_model.h"

namespace weft::train {
namespace {

struct SequenceGptChoices : BlockOptions {
  SequenceGptChoices() {
    layers = 2;
    heads = 1;
    width = 64;
  }

  bool tie = false;
};

class SequenceGptEntry : public SequenceModelOf<SequenceGptChoices> {
 public:
  std::string name() const override { return "gpt"; }
  std::string about() const override { return "decoder alone"; }

  const Fields& fields() const override {
    static const Fields table = [] {
      Fields all = block_fields("transformer blocks");
      append(all, {{"tie", "Model", &SequenceGptChoices::tie,
                    "the head shares the embedding's weights"}});
      return all;
    }();
    return table;
  }

  SequenceSolver build(const SequenceConfig& c, const data::SequenceData& data) const override {
    const auto& o = c.model.as<SequenceGptChoices>();
    nn::GptConfig gpt;
    gpt.vocab_size = data.vocab_size();
    gpt.block_size = data.length();
    set_blocks(gpt, o);
    gpt.tie_weights = o.tie;
    auto model = std::make_unique<nn::Gpt>(gpt);
    const auto answer = [model = model.get()](const data::SequenceBatch& batch) -> Answers {
      return {(*model)(batch.inputs), batch.targets};
    };
    return {std::move(model), answer};
  }
};

}  // namespace

const Entry& gpt_sequence_model() {
  static const SequenceGptEntry entry;
  return entry;
}

}  // namespace weft::train
