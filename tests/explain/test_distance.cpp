// Distances, receptive fields and neighbors in cases worked out by hand.
#include <doctest/doctest.h>

#include <cmath>

#include "core/error.h"
#include "train/explain/distance.h"
#include "train/metrics/neighbors.h"

using namespace weft;
using namespace weft::explain;

TEST_CASE("who looks only at himself looks 0 away, who looks everywhere alike the mean distance") {
  const Tensor grid = patch_distances(2, 2, 4);  // centers 4 pixels apart, the diagonal 4 sqrt(2)
  CHECK(grid.at({0, 1}) == 4);
  CHECK(grid.at({0, 2}) == 4);
  CHECK(grid.at({0, 3}) == doctest::Approx(4 * std::sqrt(2.0)));
  const Tensor weights = Tensor::zeros({3, 4, 4});
  for (std::int64_t q = 0; q < 4; ++q)
    for (std::int64_t k = 0; k < 4; ++k) {
      weights.data<float>()[q * 4 + k] = q == k ? 1.F : 0.F;
      weights.data<float>()[16 + q * 4 + k] = 0.25F;
      weights.data<float>()[32 + q * 4 + k] = k == 3 - q ? 1.F : 0.F;  // the opposite corner
    }
  const auto means = mean_distances(weights, grid);
  const double everywhere = (4 + 4 + 4 * std::sqrt(2.0)) / 4;
  CHECK(means[0] == 0);
  CHECK(means[1] == doctest::Approx(everywhere));
  CHECK(means[2] == doctest::Approx(4 * std::sqrt(2.0)));
  CHECK(uniform_distance(grid, false) == doctest::Approx(everywhere));
  CHECK(patch_distances(1, 3, 7).at({0, 2}) == 14);
  CHECK(patch_distances(3, 1, 7).at({0, 2}) == 14);
}

TEST_CASE("a class token is neither here nor there") {
  // Two patches 5 pixels apart. Each gives half its attention to the class token and half to the
  // other patch, so all of what counts to the other.
  const Tensor weights = Tensor::from<double>({1, 0, 0, .5, 0, .5, .5, .5, 0}, {1, 3, 3});
  CHECK(mean_distances(weights, patch_distances(1, 2, 5), 1)[0] == doctest::Approx(5));
  // All attention on the class token: nothing to average.
  CHECK(mean_distances(Tensor::from<double>({1, 0, 0, 1, 0, 0, 1, 0, 0}, {1, 3, 3}),
                       patch_distances(1, 2, 5), 1)[0] == 0);
  CHECK_THROWS_AS(mean_distances(weights, patch_distances(1, 2, 5), 0), ShapeError);
}

TEST_CASE("causal text: token t looks (t - 1) / 2 back when it looks at all before it alike") {
  CHECK(uniform_distance(token_distances(64), true) == doctest::Approx(63 / 4.0));
  CHECK(uniform_distance(token_distances(1), true) == 0);
  // The token before: 1 for all but the first, which has none.
  const Tensor weights = Tensor::from<double>({1, 0, 0, 1, 0, 0, 0, 1, 0}, {1, 3, 3});
  CHECK(mean_distances(weights, token_distances(3))[0] == doctest::Approx(2.0 / 3));
}

TEST_CASE("receptive fields") {
  const auto fields = receptive_field(nn::CnnConfig{});  // 3 x 3, pool, 3 x 3, pool
  REQUIRE(fields.size() == 4);
  CHECK(fields[0].field == 3);
  CHECK(fields[1].field == 4);
  CHECK(fields[2].field == 8);
  CHECK(fields[3].field == 10);
  CHECK(fields[3].jump == 4);
  // The beginning of ResNet: 7 x 7 with stride 2, a 3 x 3 pooling with stride 2, 3 x 3.
  const auto resnet = receptive_field({{"c", 7, 2}, {"p", 3, 2}, {"c", 3, 1}});
  CHECK(resnet[0].field == 7);
  CHECK(resnet[1].field == 11);
  CHECK(resnet[2].field == 19);
  CHECK(receptive_field(nn::CnnConfig{.widths = {}}).empty());
  CHECK(field_distance(1) == 0);
  CHECK(field_distance(2) == doctest::Approx(std::sqrt(0.5)));
  CHECK(field_distance(3) == doctest::Approx((4 + 4 * std::sqrt(2.0)) / 9));
}

TEST_CASE("nearest rows by cosine: length does not matter, a row of zeros is near nothing") {
  const Neighbors neighbors(Tensor::from<float>({1, 0, 10, 1, 0, 3, -1, 0, 0, 0}, {5, 2}));
  const auto near = neighbors.of(0, 3);
  REQUIRE(near.size() == 3);
  CHECK(near[0].id == 1);
  CHECK(near[0].cosine == doctest::Approx(10 / std::sqrt(101.0)));
  CHECK(near[1].id == 2);  // cosine 0, as row 4, which comes later
  CHECK(near[2].id == 4);
  CHECK(neighbors.of(0, 100).size() == 4);
  CHECK(neighbors.of(0, 100).back().cosine == doctest::Approx(-1));
  CHECK_THROWS_AS(neighbors.of(5, 1), IndexError);
  CHECK_THROWS_AS(Neighbors(Tensor::zeros({3})), ShapeError);
  CHECK_THROWS_AS(Neighbors(Tensor::zeros({3, 2}, DType::i64)), DTypeError);
}
