// Lightning and linear attention: a state of constant size in place of a cache that grows.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "core/parallel.h"
#include "nn/nn.h"
#include "tests/nn/nn_test.h"

using namespace weft;
using namespace weft::nn;
using samples::values;

TEST_CASE("the state carries on from one call to the next, at any cut") {
  const std::int64_t T = 200;
  const std::vector<double> decay{0.99, 0.6};
  const Tensor q = values({2, 2, T, 3}, 1), k = values({2, 2, T, 3}, 2),
               v = values({2, 2, T, 4}, 3);
  const Tensor whole = lightning_attention(q, k, v, {.decay = decay});
  const Tensor state = Tensor::zeros({2, 2, 3, 4}, DType::f64);
  std::int64_t at = 0;
  for (const std::int64_t piece : {1, 63, 64, 2, 70}) {
    const auto part = [&](const Tensor& x) { return raw::slice(x, 2, at, at + piece); };
    const Tensor out =
        lightning_attention(part(q), part(k), part(v), {.decay = decay, .state = state});
    CHECK(distance(out, part(whole)) < 1e-12);
    at += piece;
  }
  CHECK(at == T);
  // What is left is the sum of all keys, decayed to the last token.
  double expected = 0;
  for (std::int64_t j = 0; j < T; ++j)
    expected += std::pow(decay[1], static_cast<double>(T - 1 - j)) * k.at({1, 1, j, 2}) *
                v.at({1, 1, j, 3});
  CHECK(state.at({1, 1, 2, 3}) == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("a state that starts many segments ends as one walk would") {
  const std::int64_t T = 5000;
  const Tensor q = values({1, 1, T, 2}, 1), k = values({1, 1, T, 2}, 2),
               v = values({1, 1, T, 2}, 3);
  const Tensor whole = Tensor::zeros({1, 1, 2, 2}, DType::f64),
               pieces = Tensor::zeros({1, 1, 2, 2}, DType::f64);
  const Tensor out = lightning_attention(q, k, v, {.decay = {0.999}, .state = whole});
  for (std::int64_t at = 0; at < T; at += 100) {
    const auto part = [&](const Tensor& x) { return raw::slice(x, 2, at, at + 100); };
    CHECK(distance(
              lightning_attention(part(q), part(k), part(v), {.decay = {0.999}, .state = pieces}),
              part(out)) < 1e-10);
  }
  CHECK(distance(whole, pieces) < 1e-10);
}

TEST_CASE("a state takes no gradients") {
  const Tensor x = Tensor::zeros({1, 1, 3, 2}), leaf = Tensor::zeros({1, 1, 3, 2});
  leaf.set_requires_grad();
  CHECK(message([&] {
          lightning_attention(leaf, x, x, {.state = Tensor::zeros({1, 1, 2, 2})});
        }) == "[lightning_attention] a state holds no gradients; call it under NoGrad");
}

TEST_CASE("generation's memory does not depend on the length") {
  for (const AttentionKind kind : {AttentionKind::lightning, AttentionKind::linear}) {
    CAPTURE(to_name(kind));
    Gpt model({.vocab_size = 7,
               .block_size = 64,
               .n_layer = 2,
               .n_head = 2,
               .n_embd = 8,
               .attention = kind,
               .positions = Positions::none});
    const NoGrad no_grad;
    GptCache cache;
    model.forward(samples::ids({1, 5}, 7, 1), cache);
    const Shape before = cache.layers[1].state.shape();
    model.forward(samples::ids({1, 50}, 7, 2), cache);
    CHECK(cache.layers[1].state.shape() == before);
    CHECK(!cache.layers[1].keys.defined());
    CHECK(cache.length() == 55);
    CHECK_THROWS_AS(model.forward(samples::ids({2, 1}, 7, 1), cache), ShapeError);
    cache.clear();
    CHECK(distance(model.forward(samples::ids({1, 5}, 7, 1), cache),
                   model(samples::ids({1, 5}, 7, 1))) < 1e-5);
  }
}

TEST_CASE("lightning decays less the higher the layer stands") {
  CHECK(layer_decay(0, 4) == doctest::Approx(1.00001));
  CHECK(layer_decay(3, 4) == doctest::Approx(0.00001));
  CHECK(layer_decay(0, 1) == 1);
}

TEST_CASE("attention without a softmax says that it has no weights") {
  Gpt model({.vocab_size = 7,
             .block_size = 8,
             .n_layer = 1,
             .n_head = 2,
             .n_embd = 8,
             .attention = AttentionKind::lightning});
  std::vector<Tensor> weights;
  CHECK(message([&] {
          model.forward(samples::ids({1, 5}, 7, 1), &weights);
        }) ==
        "[attention] lightning attention has no weights to show; train with attention softmax");
}
