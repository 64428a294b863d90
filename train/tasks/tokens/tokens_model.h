// From the choices of a tokens run to its data and its model.
#pragma once

#include <memory>
#include <variant>

#include "data/synthetic/token_data.h"
#include "nn/models/factorization_machine.h"
#include "nn/models/ft_transformer.h"
#include "nn/models/mlp.h"
#include "nn/models/token_cnn.h"
#include "nn/models/token_transformer.h"
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

using TokensModelConfig =
    std::variant<nn::MlpConfig, nn::FactorizationMachineConfig, nn::TokenCnnConfig,
                 nn::TokenTransformerConfig, nn::FtTransformerConfig>;
TokensModelConfig tokens_model_config(const TokensConfig& config, const RowFacts& rows);
/// Weights are drawn from the stream `init` of this thread.
std::unique_ptr<nn::Model> build_model(const TokensConfig& config, const RowFacts& rows);

}  // namespace weft::train
