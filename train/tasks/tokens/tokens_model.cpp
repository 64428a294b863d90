#include "train/tasks/tokens/tokens_model.h"

#include <algorithm>

#include "data/table/table_tokens.h"

namespace weft::train {
namespace {

constexpr std::int64_t kSyntheticTrain = 8192, kSyntheticHeldOut = 2000;

}  // namespace

bool is_synthetic(const TokensConfig& c) {
  const std::vector<std::string>& tasks = data::token_tasks();
  return std::find(tasks.begin(), tasks.end(), c.data) != tasks.end();
}

data::SyntheticTokens made_up(const TokensConfig& c) {
  return {.task = data::token_task(c.data),
          .tokens = c.tokens,
          .features = c.features,
          .train = c.train > 0 ? c.train : kSyntheticTrain,
          .validation = c.validation > 0 ? c.validation : kSyntheticHeldOut,
          .test = c.test > 0 ? c.test : kSyntheticHeldOut,
          .units = c.units,
          .standardize = c.standardize,
          .seed = static_cast<std::uint64_t>(c.seed)};
}

data::TokenData load_tokens(const TokensConfig& c) {
  if (!is_synthetic(c)) {
    return data::load_table_tokens(c.data, {.validation = c.validation,
                                            .test = c.test,
                                            .train = c.train,
                                            .binary = c.at_least != 0,
                                            .at_least = c.at_least,
                                            .standardize = c.standardize,
                                            .old_rules = c.format < 3});
  }
  return data::synthetic_tokens(made_up(c));
}

RowFacts rows_of(const TokensConfig& c, std::int64_t tokens, std::int64_t features) {
  return c.model.as<RowOptions>().one_token ? RowFacts{1, tokens * features}
                                            : RowFacts{tokens, features};
}

std::unique_ptr<nn::Model> build_model(const TokensConfig& c, const RowFacts& rows) {
  return model_of(c).build(c, rows);
}

}  // namespace weft::train
