#include "train/tasks/tokens/tokens_model.h"

#include <algorithm>

#include "data/table/table_tokens.h"

namespace weft::train {
namespace {

constexpr std::int64_t kSyntheticTrain = 8192, kSyntheticHeldOut = 2000;

nn::TokenMixer mixer_of(const TokensConfig& c) {
  if (c.projections == "diagonal") return nn::TokenMixer::diagonal;
  if (c.attention == "linear") return nn::TokenMixer::linear;
  return c.attention == "channels" ? nn::TokenMixer::cross_covariance : nn::TokenMixer::full;
}

nn::TokenTransformerConfig transformer_config(const TokensConfig& c, const RowFacts& rows) {
  return {.n_token = rows.tokens,
          .n_feature = rows.features,
          .embed = c.embed,
          .n_embd = c.width,
          .n_layer = c.layers,
          .n_head = c.heads,
          .mixer = mixer_of(c),
          .feed_forward = c.feed_forward,
          .mlp_ratio = c.mlp_ratio,
          .activation = nn::from_name<nn::Activation>(c.activation, "activation"),
          .norm = c.norm != "none",
          .norm_kind = c.norm == "rms" ? nn::NormKind::rms : nn::NormKind::layer,
          .positions = c.positions == "learned",
          .dropout = c.dropout};
}

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
  return c.one_token ? RowFacts{1, tokens * features} : RowFacts{tokens, features};
}

TokensModelConfig tokens_model_config(const TokensConfig& c, const RowFacts& rows) {
  const Shape shape{rows.tokens, rows.features};
  if (c.model == "linear") return nn::MlpConfig{.input_shape = shape, .hidden = {}, .n_class = 1};
  if (c.model == "fm")
    return nn::FactorizationMachineConfig{.input_shape = shape, .n_factor = c.rank};
  const std::vector<std::int64_t> widths(static_cast<std::size_t>(c.layers), c.width);
  const auto activation = nn::from_name<nn::Activation>(c.activation, "activation");
  if (c.model == "mlp")
    return nn::MlpConfig{.input_shape = shape,
                         .hidden = widths,
                         .n_class = 1,
                         .activation = activation,
                         .dropout = c.dropout};
  if (c.model == "cnn")
    return nn::TokenCnnConfig{
        .n_token = rows.tokens, .n_feature = rows.features, .widths = widths, .kernel = c.kernel};
  if (c.model == "transformer") return transformer_config(c, rows);
  return nn::FtTransformerConfig{.input_shape = shape,
                                 .n_layer = c.layers,
                                 .n_head = c.heads,
                                 .n_embd = c.width,
                                 .mlp_ratio = c.mlp_ratio,
                                 .activation = activation,
                                 .norm = c.norm == "rms" ? nn::NormKind::rms : nn::NormKind::layer,
                                 .dropout = c.dropout};
}

std::unique_ptr<nn::Model> build_model(const TokensConfig& c, const RowFacts& rows) {
  struct Build {
    std::unique_ptr<nn::Model> operator()(const nn::MlpConfig& config) const {
      return std::make_unique<nn::Mlp>(config);
    }
    std::unique_ptr<nn::Model> operator()(const nn::FactorizationMachineConfig& config) const {
      return std::make_unique<nn::FactorizationMachine>(config);
    }
    std::unique_ptr<nn::Model> operator()(const nn::TokenCnnConfig& config) const {
      return std::make_unique<nn::TokenCnn>(config);
    }
    std::unique_ptr<nn::Model> operator()(const nn::TokenTransformerConfig& config) const {
      return std::make_unique<nn::TokenTransformer>(config);
    }
    std::unique_ptr<nn::Model> operator()(const nn::FtTransformerConfig& config) const {
      return std::make_unique<nn::FtTransformer>(config);
    }
  };
  return std::visit(Build(), tokens_model_config(c, rows));
}

}  // namespace weft::train
