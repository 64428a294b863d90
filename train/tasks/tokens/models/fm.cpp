#include "nn/models/factorization_machine.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {
namespace {

struct TokensFmChoices : RowOptions {
  std::int64_t rank = 8;
};

class TokensFmEntry : public TokensModelOf<TokensFmChoices, nn::FactorizationMachine> {
 public:
  std::string name() const override { return "fm"; }
  std::string about() const override { return "factorization machine"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"rank", "Model", &TokensFmChoices::rank, "factors of a feature", 1, 100000}};
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-2; }

 protected:
  nn::FactorizationMachineConfig config(const TokensFmChoices& o,
                                        const RowFacts& rows) const override {
    return {.input_shape = Shape{rows.tokens, rows.features}, .n_factor = o.rank};
  }
};

}  // namespace

const Entry& fm_tokens_model() {
  static const TokensFmEntry entry;
  return entry;
}

}  // namespace weft::train
