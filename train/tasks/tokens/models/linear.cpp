#include "nn/models/mlp.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {
namespace {

class TokensLinearEntry : public TokensModelOf<RowOptions, nn::Mlp> {
 public:
  std::string name() const override { return "linear"; }
  std::string about() const override { return "linear or logistic regression"; }

  const Fields& fields() const override {
    static const Fields table;
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-2; }

 protected:
  nn::MlpConfig config(const RowOptions&, const RowFacts& rows) const override {
    return {.input_shape = Shape{rows.tokens, rows.features}, .hidden = {}, .n_class = 1};
  }
};

}  // namespace

const Entry& linear_tokens_model() {
  static const TokensLinearEntry entry;
  return entry;
}

}  // namespace weft::train
