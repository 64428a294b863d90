#include "nn/models/lstm.h"

#include "train/tasks/text/text_model.h"

namespace weft::train {
namespace {

struct TextLstmChoices : ModelOptions {
  std::int64_t layers = 2;
  std::int64_t width = 128;
  double dropout = 0;

  std::int64_t row_blocks(const std::string& name) const override {
    return name.ends_with("weight_ih") || name.ends_with("weight_hh") ? 4 : 1;
  }
};

class TextLstmEntry : public TextModelOf<TextLstmChoices> {
 public:
  std::string name() const override { return "lstm"; }
  std::string about() const override { return "recurrent net of LSTM layers"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"layers", "Model", &TextLstmChoices::layers, "LSTM layers", 1, 10000},
        {"width", "Model", &TextLstmChoices::width,
         "size of the vector that represents a token, and of the hidden state", 1, 1000000},
        {"dropout", "Model", &TextLstmChoices::dropout,
         "dropout: fraction of activations dropped in training", 0, 0.99}};
    return table;
  }

  std::unique_ptr<nn::LanguageModel> build(const TextConfig& c,
                                           std::int64_t vocabulary) const override {
    const auto& o = c.model.as<TextLstmChoices>();
    return std::make_unique<nn::Lstm>(nn::LstmConfig{.vocab_size = vocabulary,
                                                     .block_size = c.context,
                                                     .n_layer = o.layers,
                                                     .n_embd = o.width,
                                                     .dropout = o.dropout});
  }
};

}  // namespace

const Entry& lstm_text_model() {
  static const TextLstmEntry entry;
  return entry;
}

}  // namespace weft::train
