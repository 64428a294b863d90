#include "nn/models/mlp.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {
namespace {

struct TokensMlpChoices : RowOptions {
  std::int64_t layers = 2;
  std::int64_t width = 128;
  std::string activation = "relu";
  double dropout = 0;
};

class TokensMlpEntry : public TokensModelOf<TokensMlpChoices, nn::Mlp> {
 public:
  std::string name() const override { return "mlp"; }
  std::string about() const override { return "perceptron"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"layers", "Model", &TokensMlpChoices::layers, "hidden layers", 1, 1000},
        {"width", "Model", &TokensMlpChoices::width, "hidden units of a layer", 1, 100000},
        {"activation", "Model", &TokensMlpChoices::activation, "of the hidden layers", 0, 0,
         nn::choices<nn::Activation>()},
        {"dropout", "Model", &TokensMlpChoices::dropout,
         "dropout: fraction of activations dropped in training", 0, 0.99}};
    return table;
  }

 protected:
  nn::MlpConfig config(const TokensMlpChoices& o, const RowFacts& rows) const override {
    return {.input_shape = Shape{rows.tokens, rows.features},
            .hidden = std::vector<std::int64_t>(static_cast<std::size_t>(o.layers), o.width),
            .n_class = 1,
            .activation = nn::from_name<nn::Activation>(o.activation, "activation"),
            .dropout = o.dropout};
  }
};

}  // namespace

const Entry& mlp_tokens_model() {
  static const TokensMlpEntry entry;
  return entry;
}

}  // namespace weft::train
