// The models over real-valued tokens: what each can relate.
#include <doctest/doctest.h>

#include "autograd/autograd.h"
#include "nn/models/factorization_machine.h"
#include "nn/models/ft_transformer.h"
#include "nn/models/mlp.h"
#include "nn/models/token_cnn.h"
#include "nn/models/token_transformer.h"

using namespace weft;
using nn::TokenMixer;

namespace {

/// Whether the output's derivative by x[token][dimension] changes with x[other][dimension2]:
/// whether the model's function holds them otherwise than added.
bool relates(const nn::Model& model, std::int64_t token, std::int64_t dimension, std::int64_t other,
             std::int64_t dimension2) {
  const auto derivative = [&](double moved) {
    Tensor x = Tensor::empty({1, 3, 4}, DType::f64);
    for (std::int64_t i = 0; i < 12; ++i)
      x.data<double>()[i] = 0.1 * static_cast<double>(i * i % 7) - 0.3;
    x.data<double>()[other * 4 + dimension2] += moved;
    x.set_requires_grad();
    model(x).backward();
    return x.grad().at({0, token, dimension});
  };
  return std::abs(derivative(0) - derivative(0.5)) > 1e-9;
}

std::unique_ptr<nn::TokenTransformer> token_model(nn::TokenTransformerConfig config) {
  random::seed(3);
  config.n_token = 3;
  config.n_feature = 4;
  auto model = std::make_unique<nn::TokenTransformer>(config);
  model->to(DType::f64);
  return model;
}

}  // namespace

TEST_CASE(
    "a head for each dimension, all diagonal, relates no dimension to another; one head does") {
  const auto apart = token_model({.n_head = 4, .mixer = TokenMixer::diagonal});
  CHECK(relates(*apart, 0, 1, 1, 1));  // the same dimension of two tokens
  CHECK_FALSE(relates(*apart, 0, 1, 1, 2));
  CHECK_FALSE(relates(*apart, 0, 1, 0, 2));
  const auto together = token_model({.mixer = TokenMixer::diagonal});
  CHECK(relates(*together, 0, 1, 1, 1));
  CHECK(relates(*together, 0, 1, 1, 2));
  CHECK(relates(*together, 0, 1, 0, 2));
}

TEST_CASE(
    "attention without positions is odd in its tokens, so that no product of two features can be "
    "read from it") {
  const auto even_part = [](const nn::Model& model) {
    const NoGrad no_grad;
    Tensor x = Tensor::empty({1, 3, 4}, DType::f64), zero = Tensor::zeros({1, 3, 4}, DType::f64);
    for (std::int64_t i = 0; i < 12; ++i)
      x.data<double>()[i] = 0.1 * static_cast<double>(i * i % 7) - 0.3;
    const double there = model(x).item();
    for (std::int64_t i = 0; i < 12; ++i) x.data<double>()[i] *= -1;
    return std::abs(there + model(x).item() - 2 * model(zero).item());
  };
  CHECK(even_part(*token_model({.mixer = TokenMixer::diagonal, .positions = false})) < 1e-12);
  CHECK(even_part(*token_model({.mixer = TokenMixer::diagonal})) > 1e-3);
}
