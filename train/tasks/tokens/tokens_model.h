// A model that tokens runs may choose: one file in train/tasks/tokens/models/ and one line in
// train/tasks/tokens/tokens_models.cpp. And the data of such a run.
#pragma once

#include <memory>
#include <utility>

#include "data/synthetic/token_data.h"
#include "nn/model.h"
#include "train/config/block_options.h"
#include "train/tasks/tokens/tokens_config.h"

namespace weft::train {

bool is_synthetic(const TokensConfig& config);
data::SyntheticTokens made_up(const TokensConfig& config);
/// Throws ConfigError, IoError.
data::TokenData load_tokens(const TokensConfig& config);

/// What a model must know of its data.
struct RowFacts {
  std::int64_t tokens = 1;
  std::int64_t features = 1;
};
/// As the model sees rows: with one_token, a single token of all features.
RowFacts rows_of(const TokensConfig& config, std::int64_t tokens, std::int64_t features);

/// Base of the options of all of these models.
struct RowOptions : ModelOptions {
  bool one_token = false;  ///< the model gets a row as one token of all features
};

class TokensModel : public Entry {
 public:
  /// Throws ConfigError for rows that the model cannot read. Of a configuration whose model is this
  /// one, as all that follows.
  virtual void check_rows(const TokensConfig& config, const RowFacts& rows) const = 0;
  /// Weights are drawn from the stream `init` of this thread.
  virtual std::unique_ptr<nn::Model> build(const TokensConfig& config,
                                           const RowFacts& rows) const = 0;
};

/// Of options O and a model M of nn, whose configuration is what `config` makes of the choices.
template <class O, class M>
class TokensModelOf : public EntryOf<TokensModel, O> {
 public:
  void check_rows(const TokensConfig& c, const RowFacts& rows) const override {
    config(c.model.as<O>(), rows).validate();
  }
  std::unique_ptr<nn::Model> build(const TokensConfig& c, const RowFacts& rows) const override {
    return std::make_unique<M>(config(c.model.as<O>(), rows));
  }

 protected:
  using Config = std::decay_t<decltype(std::declval<const M&>().config())>;
  virtual Config config(const O& options, const RowFacts& rows) const = 0;
};

inline const TokensModel& model_of(const TokensConfig& config) {
  return static_cast<const TokensModel&>(config.model.entry());
}
/// Of the model that is chosen.
std::unique_ptr<nn::Model> build_model(const TokensConfig& config, const RowFacts& rows);

}  // namespace weft::train
