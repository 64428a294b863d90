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
/// What a head makes of its queries q, keys k and values v.
///
/// - softmax: softmax(q k^T scale) v, exact, in tiles. Source: Vaswani et al. 2017 (arXiv
///   1706.03762), section 3.2.
/// - plain: the same with the whole matrix of weights.
/// - sigmoid: sigmoid(q k^T scale - log n) v, with n the number of keys that the query may see:
///   each weight by itself, with the whole matrix of weights. Source: Ramapuram et al. 2024 (arXiv
///   2409.04431), section 2, where n is the length of the sequence; here causal tokens have the
///   weights that they would have if none followed.
/// - lightning: queries and keys through SiLU, products decayed by e^(-slope distance) with ALiBi's
///   slopes, and RMS norm of each head's output. Source: Qin et al. 2024 (arXiv 2401.04658), eq. 1
///   to 3, without the gate; Qin et al. 2023 (arXiv 2307.14995), sections 3.1 and 3.2.
/// - linear: features elu + 1, sum_j <q_i, k_j> v_j / sum_j <q_i, k_j>. Source:
///   Katharopoulos et al. 2020 (arXiv 2006.16236), eq. 5 to 7.
/// - channels: between a head's channels instead of tokens, nn/cross_covariance_attention.h.
enum class AttentionKind : std::uint8_t { softmax, plain, sigmoid, lightning, linear, channels };
enum class Positions : std::uint8_t { none, learned, sinusoidal, rope, alibi };
/// gpt2: normal weights (init_std), zero biases, residual projections scaled by 1 / sqrt(2
/// n_layer). torch: the defaults of PyTorch's layers.
enum class InitScheme : std::uint8_t { gpt2, torch };
enum class Pooling : std::uint8_t { mean, cls };
/// Whose names the inner parts carry: nanoGPT's (c_attn, c_proj, c_fc, ln_1) or timm's (qkv, proj,
/// fc1, norm1).
enum class Naming : std::uint8_t { nanogpt, timm };

/// What a kind of attention can do, for whoever asks for it; one row a kind in options.cpp.
struct AttentionTraits {
  /// Each query has a weight for each key, made from their score: what alibi, masks on scores,
  /// another scale, dropout of weights, cross attention and maps of attention need.
  bool scores;
  bool causal;             ///< a token can be kept from seeing later ones
  std::string_view about;  ///< in half a sentence, for help
};
/// Of every kind. Throws: std::out_of_range for a value that is not of the enum.
const AttentionTraits& traits(AttentionKind kind);
/// Each kind's name with what it does, for help: `softmax: exact, in tiles; plain: ...`.
std::string about_attention();

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
