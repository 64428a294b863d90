#include "train/explain/worked_example.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/unary.h"
#include "core/error.h"
#include "core/random.h"
#include "data/text/utf8.h"
#include "train/explain/matrix_file.h"
#include "train/explain/text_picture.h"

namespace weft::explain {
namespace {

constexpr double kRelativeZero = 1e-12;
constexpr const char* kDefaultExampleText = "你好";

double round_to(double value, double unit) { return std::round(value / unit) * unit; }

/// Between 0.1 and 1 in size, then scaled so that a sum of `inputs` of them keeps its size, and
/// rounded so that it can be followed by hand; never zero.
double draw_weight(Generator& generator, std::int64_t inputs) {
  const double size = 0.1 + 0.9 * generator.next_uniform();
  const double sign = generator.next_below(2) == 0 ? 1 : -1;
  return round_to(sign * size * std::min(1.0, std::sqrt(3.0 / static_cast<double>(inputs))), 0.01);
}

Tensor draw_matrix(Generator& generator, std::int64_t rows, std::int64_t columns) {
  std::vector<double> values(static_cast<std::size_t>(rows * columns));
  for (double& value : values) value = draw_weight(generator, rows);
  return Tensor::from(values, {rows, columns});
}

Tensor diagonal_matrix(Mixing mixing, Generator& generator, std::int64_t dim) {
  const Tensor result = Tensor::zeros({dim, dim}, DType::f64);
  for (std::int64_t i = 0; i < dim; ++i) {
    const double drawn =
        round_to((0.5 + generator.next_uniform()) * (generator.next_below(2) == 0 ? 1 : -1), 0.01);
    result.data<double>()[i * dim + i] = mixing == Mixing::identity ? 1 : drawn;
  }
  return result;
}

/// (T, d) -> (H, T, D).
Tensor by_heads(const Tensor& x, std::int64_t heads) {
  return transpose(reshape(x, {x.size(0), heads, x.size(1) / heads}), 0, 1);
}

std::int64_t least_divisor(std::int64_t n) {
  for (std::int64_t k = 2; k <= n; ++k)
    if (n % k == 0) return k;
  return 0;
}

void check_sizes(std::int64_t tokens, std::int64_t dim) {
  if (tokens > kMostTokens)
    fail<ConfigError>("explain", "at most {} tokens, got {}", kMostTokens, tokens);
  if (dim < 1 || dim > kMostDims)
    fail<ConfigError>("explain", "dim must be from 1 to {}, got {}", kMostDims, dim);
  if (tokens * dim > kMostNumbers)
    fail<ConfigError>(
        "explain", "tokens times dim must be at most {}: {} tokens, dim {}; take fewer of either",
        kMostNumbers, tokens, dim);
}

Arm make_arm(const Example& example, const Projections& projections, std::int64_t heads, bool ffn) {
  const auto finish = [&](const Tensor& z) { return ffn ? feed_forward(z, example.ffn) : z; };
  const Tensor& x = example.tokens.x;
  const Tensor weights = attend(x, projections, heads).weights;
  Arm arm{.mixing = projections.mixing,
          .heads = heads,
          .ffn = ffn,
          .jacobian = Tensor(),
          .whole = {},
          .frozen = {}};
  arm.jacobian =
      jacobian([&](const Tensor& t) { return finish(attend(t, projections, heads).z); }, x);
  arm.whole = dependence(arm.jacobian, heads);
  arm.frozen = dependence(
      jacobian([&](const Tensor& t) { return finish(attend(t, projections, heads, weights).z); },
               x),
      heads);
  const auto sizes = weights.to_vector<double>();
  arm.largest_weight = *std::max_element(sizes.begin(), sizes.end());
  return arm;
}

}  // namespace

const char* to_name(Mixing mixing) {
  return mixing == Mixing::identity ? "identity" : mixing == Mixing::diagonal ? "diagonal" : "full";
}

Tokens make_tokens(const ExampleOptions& options) {
  if (options.seed < 0)
    fail<ConfigError>("explain", "seed must not be negative, got {}", options.seed);
  if (options.dim) check_sizes(1, *options.dim);
  const std::string text = options.tokens.value_or(kDefaultExampleText);
  if (text.empty())
    fail<ConfigError>("explain", "tokens must not be empty: a vector is made for each character");
  if (text.size() > 4 * kMostTokens)
    fail<ConfigError>("explain", "at most {} tokens, got {} bytes", kMostTokens, text.size());
  const std::vector<char32_t> characters = data::decode_utf8(text, "tokens");
  Tokens tokens;
  for (const char32_t c : characters) tokens.names.push_back(visible(data::to_utf8(c)));

  if (!options.file.empty()) {
    tokens.x = read_matrix(options.file, kMostTokens, kMostDims);
    const std::int64_t rows = tokens.x.size(0), columns = tokens.x.size(1);
    if (options.dim && *options.dim != columns)
      fail<ConfigError>("explain", "dim is {}, but {} has {} numbers in a row", *options.dim,
                        options.file, columns);
    check_sizes(rows, columns);
    if (options.tokens && static_cast<std::int64_t>(tokens.names.size()) != rows)
      fail<ConfigError>("explain", "{} has a row for each of {} tokens, but --tokens names {}",
                        options.file, rows, tokens.names.size());
    if (!options.tokens) {
      tokens.names.clear();
      for (std::int64_t t = 1; t <= rows; ++t) tokens.names.push_back("token " + std::to_string(t));
    }
    return tokens;
  }

  const std::int64_t dim = options.dim.value_or(3);
  check_sizes(static_cast<std::int64_t>(characters.size()), dim);
  std::vector<double> values;
  for (const char32_t c : characters) {
    Generator generator(static_cast<std::uint64_t>(options.seed),
                        fmt::format("explain.x.{}", static_cast<std::uint32_t>(c)));
    for (std::int64_t i = 0; i < dim; ++i)
      values.push_back(round_to(generator.next_normal(), 0.01) + 0.0);  // + 0.0: no -0
  }
  tokens.x = Tensor::from(values, {static_cast<std::int64_t>(characters.size()), dim});
  return tokens;
}

Projections make_projections(Mixing mixing, std::int64_t dim, std::int64_t seed) {
  Projections result{.mixing = mixing, .w_q = {}, .w_k = {}, .w_v = {}};
  for (const auto& [name, matrix] :
       {std::pair{"q", &result.w_q}, {"k", &result.w_k}, {"v", &result.w_v}}) {
    Generator generator(static_cast<std::uint64_t>(seed),
                        fmt::format("explain.w_{}.{}", name, to_name(mixing)));
    *matrix = mixing == Mixing::full ? draw_matrix(generator, dim, dim)
                                     : diagonal_matrix(mixing, generator, dim);
  }
  return result;
}

ExampleFeedForward make_feed_forward(std::int64_t dim, std::int64_t seed) {
  Generator generator(static_cast<std::uint64_t>(seed), "explain.ffn");
  const std::int64_t hidden = 4 * dim;
  return {.w_1 = draw_matrix(generator, dim, hidden),
          .b_1 = raw::reshape(draw_matrix(generator, hidden, 1), {hidden}),
          .w_2 = draw_matrix(generator, hidden, dim),
          .b_2 = raw::reshape(draw_matrix(generator, dim, 1), {dim})};
}

Steps attend(const Tensor& x, const Projections& projections, std::int64_t heads,
             const Tensor& weights) {
  Steps steps{.q = matmul(x, projections.w_q),
              .k = matmul(x, projections.w_k),
              .v = matmul(x, projections.w_v),
              .scores = {},
              .weights = weights,
              .z = {}};
  const double scale = 1 / std::sqrt(static_cast<double>(x.size(1) / heads));
  steps.scores =
      matmul(by_heads(steps.q, heads), transpose(by_heads(steps.k, heads), 1, 2)) * scale;
  if (!weights.defined()) steps.weights = softmax(steps.scores);
  steps.z = reshape(transpose(matmul(steps.weights, by_heads(steps.v, heads)), 0, 1), x.shape());
  return steps;
}

Tensor feed_forward(const Tensor& z, const ExampleFeedForward& ffn) {
  return matmul(gelu(matmul(z, ffn.w_1) + ffn.b_1), ffn.w_2) + ffn.b_2;
}

double zero_below(const Tensor& jacobian) {
  double largest = 0;
  for (const double value : jacobian.to_vector<double>())
    largest = std::max(largest, std::abs(value));
  return kRelativeZero * largest;
}

Dependence dependence(const Tensor& jacobian, std::int64_t heads) {
  const std::int64_t tokens = jacobian.size(0), dim = jacobian.size(1), head_size = dim / heads;
  const auto values = jacobian.to_vector<double>();
  const double zero = zero_below(jacobian);
  Dependence result;
  std::size_t at = 0;
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t i = 0; i < dim; ++i)
      for (std::int64_t s = 0; s < tokens; ++s)
        for (std::int64_t j = 0; j < dim; ++j) {
          const double size = std::abs(values[at++]);
          if (i == j) {
            result.largest_same = std::max(result.largest_same, size);
            continue;
          }
          CrossCount& count = s == t ? result.within : result.between;
          ++count.of;
          if (size <= zero) continue;
          ++count.nonzero;
          result.largest_cross = std::max(result.largest_cross, size);
          if (i / head_size != j / head_size) result.only_within_heads = false;
        }
  return result;
}

Tensor by_dimension(const Tensor& jacobian) {
  const std::int64_t tokens = jacobian.size(0), dim = jacobian.size(1);
  const auto values = jacobian.to_vector<double>();
  const Tensor result = Tensor::zeros({dim, dim}, DType::f64);
  std::size_t at = 0;
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t i = 0; i < dim; ++i)
      for (std::int64_t s = 0; s < tokens; ++s)
        for (std::int64_t j = 0; j < dim; ++j) {
          double& largest = result.data<double>()[i * dim + j];
          largest = std::max(largest, std::abs(values[at++]));
        }
  return result;
}

Tensor score_products(const Projections& projections, const Tensor& x, std::int64_t heads) {
  const std::int64_t dim = x.size(1);
  // The query's token and the key's are two variables here, so that one token alone is no square.
  const Tensor key = raw::clone(raw::slice(x, 0, x.size(0) - 1, x.size(0)));
  const Tensor sizes = Tensor::zeros({dim, dim}, DType::f64);
  for (std::int64_t h = 0; h < heads; ++h) {
    const auto query_gradient = [&](const Tensor& key_token) {
      const Tensor query_token = raw::clone(raw::slice(x, 0, 0, 1));
      query_token.set_requires_grad();
      const Tensor q = by_heads(matmul(query_token, projections.w_q), heads),
                   k = by_heads(matmul(key_token, projections.w_k), heads);
      const Tensor scores = sum(q * k, {1, 2}) / std::sqrt(static_cast<double>(dim / heads));
      return grad({select(scores, 0, h)}, {query_token}, {}, {.create_graph = true}).front();
    };
    const auto values = jacobian(query_gradient, key).to_vector<double>();
    for (std::int64_t n = 0; n < dim * dim; ++n)
      sizes.data<double>()[n] =
          std::max(sizes.data<double>()[n], std::abs(values[static_cast<std::size_t>(n)]));
  }
  return sizes;
}

std::string Arm::name() const {
  return fmt::format("{}, {} head{}{}", to_name(mixing), heads, heads == 1 ? "" : "s",
                     ffn ? ", FFN" : "");
}

const Arm* Example::find(Mixing mixing, std::int64_t head_count, bool with_ffn) const {
  for (const Arm& arm : arms)
    if (arm.mixing == mixing && arm.heads == head_count && arm.ffn == with_ffn) return &arm;
  return nullptr;
}

Example work_example(const ExampleOptions& options) {
  Example example;
  example.tokens = make_tokens(options);
  example.seed = options.seed;
  const std::int64_t dim = example.tokens.x.size(1);
  if (options.heads && (*options.heads < 1 || dim % *options.heads != 0))
    fail<ConfigError>("explain", "heads must divide dim: heads {}, dim {}", *options.heads, dim);
  example.heads = options.heads.value_or(1);
  const std::int64_t several = options.heads.value_or(least_divisor(dim));
  example.several = several > 1 ? several : 0;
  example.ffn = make_feed_forward(dim, options.seed);

  for (const Mixing mixing : {Mixing::identity, Mixing::diagonal, Mixing::full}) {
    const Projections projections = make_projections(mixing, dim, options.seed);
    example.steps.push_back(attend(example.tokens.x, projections, example.heads));
    Products products{
        .mixing = mixing, .sizes = score_products(projections, example.tokens.x, 1), .cross = {}};
    products.cross = dependence(raw::reshape(products.sizes, {1, dim, 1, dim}), 1).within;
    example.products.push_back(std::move(products));
    for (const bool ffn : {false, true}) {
      example.arms.push_back(make_arm(example, projections, 1, ffn));
      if (example.several > 0)
        example.arms.push_back(make_arm(example, projections, example.several, ffn));
    }
    example.projections.push_back(projections);
  }
  return example;
}

}  // namespace weft::explain
