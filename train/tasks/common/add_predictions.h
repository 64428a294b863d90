// What tasks put into an evaluation's predictions. Not for users.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"
#include "train/loop/predictions.h"

namespace weft::train {

/// Examples with one class each: row, truth, guess, right, loss. Shape: logits (B, C), truths (B).
void add_classes(Predictions& predictions, const Tensor& logits, const Tensor& truths,
                 const std::vector<std::int64_t>& guesses);

/// Rows of tokens: row, loss (sum), count, right. Shape: logits (B, T, V), targets (B, T) with
/// kIgnoreIndex for what is not asked.
void add_token_losses(Predictions& predictions, const Tensor& logits, const Tensor& targets);

}  // namespace weft::train
