// One attention layer on a few small vectors, worked out: every figure on the way, and which output
// dimension depends on which input dimension.
//
// The layer is the one the thread (V2EX 1011630) writes down: Q = x W_Q, K = x W_K, V = x W_V, z =
// softmax(Q K^T / sqrt(D)) V for each head, the heads put side by side. No norm, no residual, no
// output projection: each of them would couple dimensions by itself. All in f64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace weft::explain {

/// What W_Q, W_K and W_V are.
enum class Mixing : std::uint8_t { identity, diagonal, full };
const char* to_name(Mixing mixing);

struct ExampleOptions {
  std::optional<std::string> tokens{};  ///< a vector for each character; default "你好"
  std::optional<std::int64_t> dim{};    ///< default 3
  std::int64_t seed =
      1;  ///< of vectors and matrices; a character has the same vector wherever it stands
  std::optional<std::int64_t> heads{};  ///< of the steps (default 1) and of the arms with several
                                        ///< (default: the least that divides dim)
  std::string file{};                   ///< the tokens' vectors, a row each, instead of drawn ones
};

constexpr std::int64_t kMostTokens = 64;
constexpr std::int64_t kMostDims = 64;
constexpr std::int64_t kMostNumbers =
    256;  ///< tokens times dimensions: the Jacobian has the square of it

/// Shape: x (T, d).
struct Tokens {
  std::vector<std::string> names;  ///< printable
  Tensor x;
};

/// Shape: (d, d) each.
struct Projections {
  Mixing mixing = Mixing::full;
  Tensor w_q, w_k, w_v;
};

/// gelu(z w_1 + b_1) w_2 + b_2 of each token by itself. Shape: w_1 (d, 4d), b_1 (4d), w_2 (4d, d),
/// b_2 (d).
struct ExampleFeedForward {
  Tensor w_1, b_1, w_2, b_2;
};

/// Shape: q, k, v, z (T, d); scores and weights (H, T, T).
struct Steps {
  Tensor q, k, v, scores, weights, z;
};

/// Throws ConfigError for options that cannot be, IoError for a file that is missing or is no
/// matrix of numbers.
Tokens make_tokens(const ExampleOptions& options);
Projections make_projections(Mixing mixing, std::int64_t dim, std::int64_t seed);
ExampleFeedForward make_feed_forward(std::int64_t dim, std::int64_t seed);

/// The steps, made of recorded ops. `heads` divides d. Given `weights`, those are used instead of
/// the scores' softmax. Source: Vaswani et al. 2017 (arXiv 1706.03762), eq. 1 and section 3.2.2.
Steps attend(const Tensor& x, const Projections& projections, std::int64_t heads,
             const Tensor& weights = Tensor());
Tensor feed_forward(const Tensor& z, const ExampleFeedForward& ffn);

/// Entries that couple different dimensions, and how many of them are not zero.
struct CrossCount {
  std::int64_t nonzero = 0;
  std::int64_t of = 0;
};

/// What a Jacobian dz[t][i] / dx[s][j] says about i != j. Zero: below 1e-12 of the largest entry.
struct Dependence {
  CrossCount within;   ///< s == t
  CrossCount between;  ///< s != t
  double largest_cross = 0;
  double largest_same = 0;        ///< of the entries with i == j
  bool only_within_heads = true;  ///< no entry that is not zero couples dimensions of two heads
  CrossCount cross() const { return {within.nonzero + between.nonzero, within.of + between.of}; }
};

/// Shape: jacobian (T, d, T, d).
Dependence dependence(const Tensor& jacobian, std::int64_t heads);
/// The size below which an entry of this Jacobian counts as zero.
double zero_below(const Tensor& jacobian);
/// The largest |entry| over all pairs of tokens. Shape: (T, d, T, d) -> (d, d).
Tensor by_dimension(const Tensor& jacobian);

/// Which products of a query's and a key's dimension are in the scores: d^2 score / d x_query[i] d
/// x_key[j], the largest size over the heads. It is |W_Q W_K^T| / sqrt(D), here by autograd. Shape:
/// (d, d).
Tensor score_products(const Projections& projections, const Tensor& x, std::int64_t heads);

/// One way to build the layer, and its Jacobian dz/dx, or dFFN(z)/dx. Shape: jacobian (T, d, T, d).
struct Arm {
  Mixing mixing = Mixing::full;
  std::int64_t heads = 1;
  bool ffn = false;
  Tensor jacobian;
  Dependence whole;
  Dependence
      frozen;  ///< with the attention weights held constant: the path through V alone (and the FFN)
  double largest_weight = 0;  ///< attention weight; 1 means that the softmax is saturated
  std::string name() const;
};

/// Products in the scores of one kind of matrices, with one head.
struct Products {
  Mixing mixing = Mixing::full;
  Tensor sizes;
  CrossCount cross;
};

struct Example {
  Tokens tokens;
  std::int64_t seed = 1;
  std::int64_t heads = 1;                ///< of the steps
  std::int64_t several = 0;              ///< heads of the arms with several; 0: there are none
  std::vector<Projections> projections;  ///< one of each mixing, in its order
  ExampleFeedForward ffn;
  std::vector<Steps> steps;  ///< one of each mixing
  std::vector<Products> products;
  std::vector<Arm> arms;  ///< by mixing; in each: one head, several, one + FFN, several + FFN
  const Arm* find(Mixing mixing, std::int64_t heads, bool ffn) const;
};

/// Everything. Throws as make_tokens(); ConfigError unless heads divides dim.
Example work_example(const ExampleOptions& options);

/// One paragraph of what the figures say, and nothing that they do not.
std::string conclusion(const Example& example);

/// All figures. Matrices are nested arrays.
std::string to_json(const Example& example);
/// For a terminal: the steps with `mixing`, its Jacobian, a picture and a table of all arms, the
/// conclusion.
std::string to_text(const Example& example, Mixing mixing);
/// One HTML file that needs nothing else.
std::string to_html(const Example& example);

}  // namespace weft::explain
