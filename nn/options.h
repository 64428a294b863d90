// The choices that layers and models share, and their names in configurations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::nn {

enum class NormKind : std::uint8_t { layer, rms };
/// gelu_erf and gelu_tanh are two functions, and say which.
enum class Activation : std::uint8_t { relu, relu_squared, gelu_erf, gelu_tanh, swiglu };
/// softmax: exact, in tiles. plain: the same with the whole matrix of weights. lightning: no
/// softmax but a decay by distance (Lightning Attention-2). linear: no softmax, normalized products
/// of positive features. channels: between a head's channels instead of tokens (XCiT); never
/// causal.
enum class AttentionKind : std::uint8_t { softmax, plain, lightning, linear, channels };
enum class Positions : std::uint8_t { none, learned, sinusoidal, rope, alibi };
/// gpt2: normal weights (init_std), zero biases, residual projections scaled by 1 / sqrt(2
/// n_layer). torch: the defaults of PyTorch's layers.
enum class InitScheme : std::uint8_t { gpt2, torch };
enum class Pooling : std::uint8_t { mean, cls };
/// Whose names the inner parts carry: nanoGPT's (c_attn, c_proj, c_fc, ln_1) or timm's (qkv, proj,
/// fc1, norm1).
enum class Naming : std::uint8_t { nanogpt, timm };

/// The names of an enum's values, in order, as configurations and flags write them: `layer`, `rms`.
template <class E>
const std::vector<std::string>& choices();
template <class E>
std::string_view to_name(E value);
/// The value of that name. Throws ConfigError: `[option] must be one of a, b, c: got "d"`.
template <class E>
E from_name(std::string_view text, std::string_view option);

template <>
const std::vector<std::string>& choices<NormKind>();
template <>
const std::vector<std::string>& choices<Activation>();
template <>
const std::vector<std::string>& choices<AttentionKind>();
template <>
const std::vector<std::string>& choices<Positions>();
template <>
const std::vector<std::string>& choices<InitScheme>();
template <>
const std::vector<std::string>& choices<Pooling>();
template <>
const std::vector<std::string>& choices<Naming>();

}  // namespace weft::nn
