// From the choices of a text run to its model.
#pragma once

#include "nn/models/gpt.h"
#include "train/tasks/text/text_config.h"

namespace weft::train {

nn::GptConfig gpt_config(const TextConfig& config, std::int64_t vocabulary);

/// What is known of the data only when it is there. Throws ConfigError: context longer than the
/// data.
void check_data(const TextConfig& config, std::int64_t train_tokens, std::int64_t val_tokens);

}  // namespace weft::train
