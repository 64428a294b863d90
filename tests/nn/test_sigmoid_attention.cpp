// Sigmoid attention: what n is for each query, masks, scale, and token by token.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "autograd/sample.h"
#include "nn/attention.h"
#include "nn/sigmoid_attention.h"
#include "tests/nn/nn_test.h"

using namespace weft;
using namespace weft::nn;
using samples::values;

namespace {

Tensor padding_of(std::vector<std::uint8_t> padded, const Shape& shape) {
  const Tensor padding = Tensor::zeros(shape, DType::u8);
  std::copy(padded.begin(), padded.end(), padding.data<std::uint8_t>());
  return padding;
}

/// What the score was that gave this weight to one of n keys.
double score_of(double weight, double n) { return std::log(weight / (1 - weight)) + std::log(n); }

}  // namespace

TEST_CASE("a query whose scores are zero gives each key that it sees one part in n + 1") {
  const Tensor q = Tensor::zeros({2, 2, 3, 4}, DType::f64),
               k = Tensor::zeros({2, 1, 4, 4}, DType::f64);
  Tensor mask = Tensor::zeros({3, 4}, DType::f64);
  mask.data<double>()[1] = -std::numeric_limits<double>::infinity();  // of query 0, key 1
  const Tensor weights = sigmoid_weights(
      q, k,
      {.causal = true, .key_padding = padding_of({0, 0, 0, 0, 1, 1, 0, 0}, {2, 4}), .bias = mask});
  // Of 4 keys the first query sees 2, the next 3, the last all.
  const double expected[2][3][4] = {{{0.5, 0, 0, 0}, {0.25, 0.25, 0.25, 0}, {0.2, 0.2, 0.2, 0.2}},
                                    {{0, 0, 0, 0}, {0, 0, 0.5, 0}, {0, 0, 1 / 3.0, 1 / 3.0}}};
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t h = 0; h < 2; ++h)
      for (std::int64_t t = 0; t < 3; ++t)
        for (std::int64_t s = 0; s < 4; ++s) {
          CAPTURE(b);
          CAPTURE(t);
          CAPTURE(s);
          CHECK(weights.at({b, h, t, s}) == doctest::Approx(expected[b][t][s]).epsilon(1e-12));
        }
}

TEST_CASE("scores are scaled by 1 / sqrt(D), or as asked, and biases are added") {
  const Tensor q = values({1, 2, 3, 4}, 1), k = values({1, 2, 5, 4}, 2), bias = values({3, 5}, 3);
  const Tensor usual = sigmoid_weights(q, k, {}), scaled = sigmoid_weights(q, k, {.scale = 1.25}),
               biased = sigmoid_weights(q, k, {.bias = bias});
  for (std::int64_t t = 0; t < 3; ++t)
    for (std::int64_t s = 0; s < 5; ++s) {
      double product = 0;
      for (std::int64_t i = 0; i < 4; ++i) product += q.at({0, 1, t, i}) * k.at({0, 1, s, i});
      CHECK(score_of(usual.at({0, 1, t, s}), 5) == doctest::Approx(product / 2).epsilon(1e-9));
      CHECK(score_of(scaled.at({0, 1, t, s}), 5) == doctest::Approx(1.25 * product).epsilon(1e-9));
      CHECK(score_of(biased.at({0, 1, t, s}), 5) ==
            doctest::Approx(product / 2 + bias.at({t, s})).epsilon(1e-9));
    }
}

TEST_CASE(
    "sigmoid attention by cached tokens is that of the whole, which those that follow leave") {
  for (const Positions positions : {Positions::none, Positions::rope, Positions::alibi}) {
    CAPTURE(to_name(positions));
    MultiHeadAttention attention({.n_embd = 8,
                                  .n_head = 4,
                                  .kind = AttentionKind::sigmoid,
                                  .n_kv_head = 2,
                                  .causal = true,
                                  .positions = positions});
    attention.to(DType::f64);
    const NoGrad no_grad;
    const Tensor x = values({2, 9, 8}, 1), whole = attention(x);
    CHECK(distance(attention(raw::slice(x, 1, 0, 5)), raw::slice(whole, 1, 0, 5)) < 1e-12);
    KvCache cache;
    std::int64_t at = 0;
    for (const std::int64_t piece : {1, 1, 3, 1, 2, 1}) {
      const Tensor part = attention(raw::slice(x, 1, at, at + piece), {.cache = &cache});
      CHECK(distance(part, raw::slice(whole, 1, at, at + piece)) < 1e-12);
      at += piece;
    }
    CHECK(at == 9);
  }
}

TEST_CASE("padding behind a context changes nothing of sigmoid attention") {
  MultiHeadAttention attention(
      {.n_embd = 8, .n_head = 2, .kind = AttentionKind::sigmoid, .context_embd = 6});
  attention.to(DType::f64);
  const Tensor x = values({1, 3, 8}, 1), context = values({1, 5, 6}, 2);
  const Tensor padded =
      attention(x, {.context = context, .key_padding = padding_of({0, 0, 0, 1, 1}, {1, 5})});
  const Tensor shorter = attention(x, {.context = raw::slice(context, 1, 0, 3)});
  CHECK(distance(padded, shorter) < 1e-12);
  CHECK(distance(attention(x, {.context = context}), shorter) > 1e-3);
}

TEST_CASE("weights of sigmoid attention are dropped in training alone") {
  MultiHeadAttention attention(
      {.n_embd = 8, .n_head = 2, .kind = AttentionKind::sigmoid, .attention_dropout = 0.5}),
      plain({.n_embd = 8, .n_head = 2, .kind = AttentionKind::sigmoid});
  plain.load_state_dict(attention.state_dict());
  const Tensor x = raw::cast(values({2, 6, 8}, 1), DType::f32);
  Tensor weights;
  CHECK(distance(attention(x, {.weights = &weights}), plain(x)) > 1e-4);
  CHECK(weights.shape() == Shape{2, 2, 6, 6});
  attention.eval();
  CHECK(distance(attention(x), plain(x)) == 0);
}

TEST_CASE("masks that do not fit the scores of sigmoid attention are refused") {
  const Tensor q = Tensor::zeros({2, 2, 3, 4}), k = Tensor::zeros({2, 2, 5, 4});
  CHECK(message([&] {
          sigmoid_weights(q, k, {.key_padding = Tensor::zeros({2, 5})});
        }) == "[sigmoid_attention] key_padding must be u8, got f32");
  CHECK(message([&] {
          sigmoid_weights(q, k, {.key_padding = Tensor::zeros({2, 3}, DType::u8)});
        }) == "[sigmoid_attention] key_padding must be (2, 5), got (2, 3)");
  CHECK(message([&] {
          sigmoid_weights(q, k, {.bias = Tensor::zeros({2, 5})});
        }) == "[sigmoid_attention] bias (2, 5) does not broadcast to the scores (2, 2, 3, 5)");
}
