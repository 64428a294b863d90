// Attention: what its options mean, seen from outside.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "nn/nn.h"
#include "tests/nn/nn_test.h"

using namespace weft;
using namespace weft::nn;
using samples::values;

TEST_CASE("attention weights are probabilities, and causal ones look back only") {
  MultiHeadAttention attention({.n_embd = 8, .n_head = 2, .causal = true});
  attention.to(DType::f64);
  Tensor weights;
  const Tensor out = attention(values({2, 5, 8}, 1), {.weights = &weights});
  REQUIRE(weights.shape() == Shape{2, 2, 5, 5});
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t h = 0; h < 2; ++h)
      for (std::int64_t t = 0; t < 5; ++t) {
        double sum = 0;
        for (std::int64_t s = 0; s < 5; ++s) {
          sum += weights.at({b, h, t, s});
          if (s > t) CHECK(weights.at({b, h, t, s}) == 0);
        }
        CHECK(sum == doctest::Approx(1).epsilon(1e-12));
      }
}

TEST_CASE("grouped keys are repeated heads") {
  const MultiHeadAttentionOptions grouped_options{
      .n_embd = 8, .n_head = 4, .n_kv_head = 2, .causal = true};
  MultiHeadAttentionOptions full_options = grouped_options;
  full_options.n_kv_head = 0;
  MultiHeadAttention grouped(grouped_options), full(full_options);
  grouped.to(DType::f64), full.to(DType::f64);
  NamedTensors state = grouped.state_dict();
  // Rows of c_attn: 4 query heads, 2 key heads, 2 value heads, of 2 features each.
  const auto repeat = [](const Tensor& t) {
    const auto pieces = split(t, {8, 2, 2, 2, 2}, 0);
    return cat({pieces[0], pieces[1], pieces[1], pieces[2], pieces[2], pieces[3], pieces[3],
                pieces[4], pieces[4]},
               0);
  };
  for (auto& [name, tensor] : state)
    if (name.starts_with("c_attn")) tensor = repeat(tensor);
  full.load_state_dict(state);
  const Tensor x = values({2, 5, 8}, 1);
  CHECK(distance(grouped(x), full(x)) < 1e-14);
}

TEST_CASE("ALiBi's slopes are the paper's") {
  CHECK(alibi_slopes(8) ==
        std::vector<double>{0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625});
  CHECK(alibi_slopes(4) == std::vector<double>{0.25, 0.0625, 0.015625, 0.00390625});
  const auto twelve = alibi_slopes(12);  // those of 8, then the odd ones of 16
  REQUIRE(twelve.size() == 12);
  CHECK(twelve[8] == doctest::Approx(std::exp2(-0.5)));
  CHECK(twelve[11] == doctest::Approx(std::exp2(-3.5)));
  const Tensor bias = alibi_bias(2, 2, 3, DType::f64);  // the second query stands at the third key
  CHECK(bias.at({0, 0, 0, 0}) == -0.0625);
  CHECK(bias.at({0, 0, 0, 1}) == 0);
  CHECK(bias.at({0, 1, 1, 0}) == -2 * 0.00390625);
}

TEST_CASE("RoPE: products depend on the distance of positions alone") {
  const Tensor q = values({1, 1, 8}, 1), k = values({1, 1, 8}, 2);
  const auto product = [&](std::int64_t at_q, std::int64_t at_k) {
    return sum(rope(q, at_q) * rope(k, at_k)).item();
  };
  CHECK(product(3, 1) == doctest::Approx(product(10, 8)).epsilon(1e-12));
  CHECK(product(0, 5) == doctest::Approx(product(90, 95)).epsilon(1e-12));
  CHECK(std::abs(product(3, 1) - product(3, 2)) > 1e-3);
  CHECK(distance(rope(q, 0), q) == 0);
}

TEST_CASE("sinusoidal positions are the paper's") {
  const Tensor table = sinusoidal_positions(4, 6, DType::f64);
  CHECK(table.at({0, 0}) == 0);
  CHECK(table.at({0, 1}) == 1);
  CHECK(table.at({3, 2}) == doctest::Approx(std::sin(3 * std::pow(10000, -2.0 / 6))));
  CHECK(table.at({3, 5}) == doctest::Approx(std::cos(3 * std::pow(10000, -4.0 / 6))));
}

TEST_CASE("cross attention sees its context, and none of what is padded") {
  MultiHeadAttention attention({.n_embd = 8, .n_head = 2, .context_embd = 6});
  attention.to(DType::f64);
  const Tensor x = values({2, 3, 8}, 1), context = values({2, 4, 6}, 2),
               changed = raw::clone(context);
  const Tensor padding = Tensor::zeros({2, 4}, DType::u8);
  raw::slice(padding, 1, 3, 4).fill(1);
  raw::slice(changed, 1, 3, 4).fill(9);
  CHECK(distance(attention(x, {.context = context, .key_padding = padding}),
                 attention(x, {.context = changed, .key_padding = padding})) == 0);
  CHECK(distance(attention(x, {.context = context}), attention(x, {.context = changed})) > 1e-3);
}

TEST_CASE("a cache refuses gradients and other batches") {
  MultiHeadAttention attention({.n_embd = 8, .n_head = 2, .causal = true});
  KvCache cache;
  CHECK_THROWS_AS(attention(Tensor::zeros({1, 2, 8}), {.cache = &cache}), GraphError);
  const NoGrad no_grad;
  attention(Tensor::zeros({1, 2, 8}), {.cache = &cache});
  CHECK(cache.length == 2);
  CHECK_THROWS_AS(attention(Tensor::zeros({2, 1, 8}), {.cache = &cache}), ShapeError);
}

TEST_CASE("dropout acts in training only, and from its own stream") {
  random::seed(1);
  MultiHeadAttention attention(
      {.n_embd = 8, .n_head = 2, .dropout = 0.5, .attention_dropout = 0.5});
  const Tensor x = Tensor::ones({1, 4, 8});
  const auto init_position = random::stream("init").position();
  CHECK(distance(attention(x), attention(x)) > 0);
  attention.eval();
  CHECK(distance(attention(x), attention(x)) == 0);
  CHECK(random::stream("init").position() == init_position);
}
