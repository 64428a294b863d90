#include "nn/models/token_cnn.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {
namespace {

struct TokensCnnChoices : RowOptions {
  std::int64_t layers = 2;
  std::int64_t width = 32;
  std::int64_t kernel = 3;
};

class TokensCnnEntry : public TokensModelOf<TokensCnnChoices, nn::TokenCnn> {
 public:
  std::string name() const override { return "cnn"; }
  std::string about() const override { return "1-D convolutions"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"one_token", "Model", &TokensCnnChoices::one_token,
         "the model gets a row as one token of all features"},
        {"layers", "Model", &TokensCnnChoices::layers, "convolutions", 1, 1000},
        {"width", "Model", &TokensCnnChoices::width, "channels", 1, 100000},
        {"kernel", "Model", &TokensCnnChoices::kernel,
         "tokens that a convolution sees at once, odd", 1, 255}};
    return table;
  }

 protected:
  nn::TokenCnnConfig config(const TokensCnnChoices& o, const RowFacts& rows) const override {
    return {.n_token = rows.tokens,
            .n_feature = rows.features,
            .widths = std::vector<std::int64_t>(static_cast<std::size_t>(o.layers), o.width),
            .kernel = o.kernel};
  }
};

}  // namespace

const Entry& cnn_tokens_model() {
  static const TokensCnnEntry entry;
  return entry;
}

}  // namespace weft::train
