// FLOPs of a forward, by formula: what models were said to compute before they were asked.
//
// Counted as there: 2 a multiply-add of a matrix product or convolution, for every layer that is
// called; attention's two products over all T x T pairs (the half that a causal mask hides is not
// taken off, as in most published figures); embeddings, norms, activations, softmax and the
// optimizer not.
#pragma once

#include <cstdint>

#include "nn/models/cnn.h"
#include "nn/models/encoder_decoder.h"
#include "nn/models/factorization_machine.h"
#include "nn/models/ft_transformer.h"
#include "nn/models/gpt.h"
#include "nn/models/lenet.h"
#include "nn/models/mlp.h"
#include "nn/models/resnet.h"
#include "nn/models/token_cnn.h"
#include "nn/models/token_transformer.h"
#include "nn/models/vit.h"

namespace weft::formulas {

/// The parts, for models that are put together elsewhere.
double linear_flops(double rows, double in, double out);
double attention_flops(double heads, double queries, double keys, double head_size);
/// Of lightning and linear attention: a token enters the running sum and reads it. (Blocks do more
/// at once, of the same result.)
double running_sum_flops(double heads, double tokens, double head_size, double value_size);

/// Forward, one sample: a text of `tokens` tokens (0: block_size), an image, or one input.
double forward_flops(const nn::GptConfig& config, std::int64_t tokens = 0);
double forward_flops(const nn::EncoderDecoderConfig& config);  ///< the longest source and target
double forward_flops(const nn::VitConfig& config);
double forward_flops(const nn::MlpConfig& config);
double forward_flops(const nn::CnnConfig& config);
double forward_flops(const nn::TokenTransformerConfig& config);
double forward_flops(const nn::FtTransformerConfig& config);
double forward_flops(const nn::TokenCnnConfig& config);
double forward_flops(const nn::FactorizationMachineConfig& config);
double forward_flops(const nn::LenetConfig& config);
double forward_flops(const nn::ResnetConfig& config);

}  // namespace weft::formulas
