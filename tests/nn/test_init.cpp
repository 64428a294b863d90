// Initializers: moments, bounds, and the same values for the same seed.
#include <doctest/doctest.h>

#include <cmath>

#include "nn/nn.h"

using namespace weft;
using namespace weft::nn;

namespace {

struct Moments {
  double mean = 0, std = 0, low = INFINITY, high = -INFINITY;
};

Moments moments(const init::Initializer& initializer, const Shape& shape) {
  random::seed(5);
  const Tensor t = Tensor::empty(shape);
  initializer(t);
  Moments m;
  const auto values = t.to_vector<double>();
  for (const double v : values)
    m.mean += v / static_cast<double>(values.size()), m.low = std::min(m.low, v),
                                                      m.high = std::max(m.high, v);
  for (const double v : values)
    m.std += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
  m.std = std::sqrt(m.std);
  return m;
}

const Shape kShape{200, 100};  // fan_out 200, fan_in 100

}  // namespace

TEST_CASE("normal, uniform and constant") {
  const Moments normal = moments(init::normal(0.02), kShape);
  CHECK(std::abs(normal.mean) < 0.001);
  CHECK(normal.std == doctest::Approx(0.02).epsilon(0.03));
  const Moments uniform = moments(init::uniform(-1, 3), kShape);
  CHECK(uniform.mean == doctest::Approx(1).epsilon(0.05));
  CHECK(uniform.low >= -1);
  CHECK(uniform.high < 3);
  CHECK(uniform.std == doctest::Approx(4 / std::sqrt(12)).epsilon(0.03));
  CHECK(moments(init::constant(2.5), kShape).low == 2.5);
  CHECK(moments(init::ones(), kShape).high == 1);
}

TEST_CASE("truncated normal stays within its bounds and has the truncated deviation") {
  const Moments m = moments(init::truncated_normal(0.5, 1), kShape);
  CHECK(m.low > 0);
  CHECK(m.high < 2);
  CHECK(m.mean == doctest::Approx(1).epsilon(0.02));
  // Variance of a standard normal cut at +-2: 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737.
  CHECK(m.std == doctest::Approx(0.5 * std::sqrt(0.77374)).epsilon(0.03));
}

TEST_CASE("Xavier and Kaiming follow the fans") {
  CHECK(moments(init::xavier_uniform(), kShape).std ==
        doctest::Approx(std::sqrt(2.0 / 300)).epsilon(0.03));
  CHECK(moments(init::xavier_uniform(), kShape).high <= std::sqrt(6.0 / 300));
  CHECK(moments(init::xavier_normal(2), kShape).std ==
        doctest::Approx(2 * std::sqrt(2.0 / 300)).epsilon(0.03));
  CHECK(moments(init::kaiming_uniform(std::sqrt(5.0)), kShape).high <= 0.1f);
  CHECK(moments(init::kaiming_uniform(std::sqrt(5.0)), kShape).std ==
        doctest::Approx(0.1 / std::sqrt(3)).epsilon(0.03));
  CHECK(moments(init::kaiming_normal(), kShape).std ==
        doctest::Approx(std::sqrt(2.0 / 100)).epsilon(0.03));
  CHECK(moments(init::kaiming_normal(), {40, 20, 3, 5}).std ==
        doctest::Approx(std::sqrt(2.0 / 300)).epsilon(0.03));
  CHECK(moments(init::scaled_residual(8), kShape).std == doctest::Approx(0.02 / 4).epsilon(0.03));
  CHECK_THROWS_AS(moments(init::xavier_uniform(), {5}), ShapeError);
  CHECK_THROWS_AS(init::normal(-1), ConfigError);
  CHECK_THROWS_AS(moments(init::Initializer(), {5}), ConfigError);
}

TEST_CASE("orthogonal rows or columns are orthonormal times gain") {
  for (const Shape& shape : {Shape{6, 10}, Shape{10, 6}}) {
    const Tensor t = Tensor::empty(shape, DType::f64);
    init::orthogonal(2)(t);
    const bool wide = shape[0] < shape[1];
    const std::int64_t n = std::min(shape[0], shape[1]), length = std::max(shape[0], shape[1]);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        double dot = 0;
        for (std::int64_t k = 0; k < length; ++k)
          dot += wide ? t.at({i, k}) * t.at({j, k}) : t.at({k, i}) * t.at({k, j});
        CHECK(dot == doctest::Approx(i == j ? 4 : 0).epsilon(1e-12));
      }
  }
}

TEST_CASE("a GPT starts as GPT-2 does, or as PyTorch's layers do") {
  random::seed(7);
  const GptConfig config{
      .vocab_size = 65, .block_size = 64, .n_layer = 8, .n_head = 4, .n_embd = 128, .bias = true};
  const auto deviation = [](const Tensor& t) {
    double square = 0;
    for (const double v : t.to_vector<double>()) square += v * v / static_cast<double>(t.numel());
    return std::sqrt(square);
  };
  Gpt model(config);
  for (const auto& [name, tensor] : model.named_parameters()) {
    CAPTURE(name);
    if (name.ends_with("c_proj.weight"))
      CHECK(deviation(tensor) == doctest::Approx(0.005).epsilon(0.03));
    else if (tensor.rank() == 2)
      CHECK(deviation(tensor) == doctest::Approx(0.02).epsilon(0.03));
    else if (name.ends_with("bias"))
      CHECK(deviation(tensor) == 0);
    else
      CHECK(deviation(tensor) == 1);
  }
  GptConfig zero = config;
  zero.zero_init_proj = true;
  zero.tie_weights = false;
  Gpt silent(zero);
  for (const auto& [name, tensor] : silent.named_parameters())
    if (name.ends_with("c_proj.weight") || name == "lm_head.weight") CHECK(deviation(tensor) == 0);
  Linear linear(100, 50);
  CHECK(deviation(linear.weight) == doctest::Approx(0.1 / std::sqrt(3)).epsilon(0.05));
  CHECK(deviation(linear.bias) > 0);
}

TEST_CASE("the same seed gives the same model, another seed another") {
  const GptConfig config{.vocab_size = 11, .block_size = 8, .n_layer = 2, .n_head = 2, .n_embd = 8};
  const auto weights = [&](std::uint64_t seed) {
    random::seed(seed);
    std::vector<double> all;
    for (const Tensor& t : Gpt(config).parameters())
      for (const double v : t.to_vector<double>()) all.push_back(v);
    return all;
  };
  CHECK(weights(1) == weights(1));
  CHECK(weights(1) != weights(2));
}
