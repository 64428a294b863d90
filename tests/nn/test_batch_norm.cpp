// What batch norm keeps from one batch to the next: no gradient check sees it.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "autograd/sample.h"
#include "nn/nn.h"

using namespace weft;
using namespace weft::nn;
using samples::values;

TEST_CASE(
    "batch norm's running statistics move towards each batch's mean and unbiased variance, and "
    "evaluation uses them") {
  constexpr double kMomentum = 0.25;
  BatchNorm2d norm(2, {.momentum = kMomentum});
  double mean[2] = {0, 0}, variance[2] = {1, 1};
  for (const std::uint64_t salt : {1, 2, 3}) {
    const Tensor x = values({3, 2, 2, 5}, salt, -1, 4);
    norm.forward(raw::cast(x, DType::f32));
    for (std::int64_t c = 0; c < 2; ++c) {
      const std::vector<double> all =
          raw::contiguous(raw::slice(x, 1, c, c + 1)).to_vector<double>();
      double sum = 0, squares = 0;
      for (const double v : all) sum += v;
      const double center = sum / static_cast<double>(all.size());
      for (const double v : all) squares += (v - center) * (v - center);
      mean[c] = (1 - kMomentum) * mean[c] + kMomentum * center;
      variance[c] =
          (1 - kMomentum) * variance[c] + kMomentum * squares / static_cast<double>(all.size() - 1);
      CHECK(norm.running_mean.get().at({c}) == doctest::Approx(mean[c]).epsilon(1e-5));
      CHECK(norm.running_var.get().at({c}) == doctest::Approx(variance[c]).epsilon(1e-5));
    }
  }
  norm.eval();
  const Tensor y = norm.forward(Tensor::full({1, 2, 1, 1}, 2.0, DType::f32));
  for (std::int64_t c = 0; c < 2; ++c)
    CHECK(y.at({0, c, 0, 0}) ==
          doctest::Approx((2 - mean[c]) / std::sqrt(variance[c] + 1e-5)).epsilon(1e-5));
}
