// Elements as exact numbers, and in-place work on views that share memory.
#include <doctest/doctest.h>

#include <limits>

#include "core/kernels/optimizer.h"
#include "core/tensor.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;

TEST_CASE("integers are read and printed digit by digit") {
  constexpr std::int64_t kLarge = 1'700'000'001, kOdd = (std::int64_t{1} << 53) + 1,
                         kLast = std::numeric_limits<std::int64_t>::max();
  CHECK(to_string(Tensor::from<std::int64_t>({kLarge, kOdd, -kOdd, kLast}, {4})) ==
        "i64 (4,) [1700000001, 9007199254740993, -9007199254740993, 9223372036854775807]");
  CHECK(to_string(Tensor::from<std::int32_t>({16'777'217, -2'147'483'648}, {2})) ==
        "i32 (2,) [16777217, -2147483648]");
  CHECK(to_string(Tensor::from<std::uint8_t>({0, 255}, {2})) == "u8 (2,) [0, 255]");
  CHECK(to_string(Tensor::from<float>({1234567.0F, 0.5F}, {2})) == "f32 (2,) [1.23457e+06, 0.5]");
  CHECK(Tensor::from<std::int64_t>({kOdd}, {1}).item<std::int64_t>() == kOdd);
  CHECK(Tensor::from<std::int64_t>({kLarge}, {1}).item() == static_cast<double>(kLarge));
  CHECK(Tensor::from<float>({-3}, {1}).item<std::int64_t>() == -3);
}

TEST_CASE("an element that the wanted type does not hold is an error") {
  const Tensor odd = Tensor::from<std::int64_t>(
      {(std::int64_t{1} << 53) + 1, std::numeric_limits<std::int64_t>::max()}, {2});
  CHECK(error_text<NumericError>([&] { raw::slice(odd, 0, 0, 1).item(); }) ==
        "[item] 9007199254740993 is not a double; read it as a std::int64_t");
  CHECK(error_text<NumericError>([&] { odd.at({1}); }) ==
        "[at] 9223372036854775807 is not a double; read it as a std::int64_t");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double value :
       {0.5, 0x1p63, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(Tensor::scalar(value, DType::f64).item<std::int64_t>(), NumericError);
  CHECK(Tensor::scalar(-0x1p63, DType::f64).item<std::int64_t>() ==
        std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("add_scaled reads an overlapping source as it was") {
  const Tensor all = Tensor::arange(100'001, DType::f64);
  const std::vector<double> before = all.to_vector<double>();
  const std::int64_t n = all.numel() - 1;
  raw::add_scaled(raw::slice(all, 0, 1, n + 1), raw::slice(all, 0, 0, n));
  std::vector<double> expected = before;
  for (std::size_t i = 1; i < expected.size(); ++i) expected[i] += before[i - 1];
  CHECK(all.to_vector<double>() == expected);

  const Tensor square = raw::reshape(Tensor::arange(9, DType::f32), {3, 3});
  raw::add_scaled(square, raw::transpose(square, 0, 1));
  CHECK(square.to_vector<float>() == std::vector<float>{0, 4, 8, 4, 8, 12, 8, 12, 16});
  raw::add_scaled(square, square);
  CHECK(square.to_vector<float>() == std::vector<float>{0, 8, 16, 8, 16, 24, 16, 24, 32});
}

TEST_CASE("a target whose elements share memory is refused by all that write in place") {
  const Tensor base = Tensor::zeros({8}), stretched = raw::expand(raw::slice(base, 0, 0, 1), {4}),
               windows = base.as_strided({3, 3}, {1, 1});
  for (const Tensor& target : {stretched, windows}) {
    const Tensor source = Tensor::ones(target.shape());
    CHECK_THROWS_AS(target.fill(1), ShapeError);
    CHECK_THROWS_AS(target.copy_from(source), ShapeError);
    CHECK_THROWS_AS(raw::add_scaled(target, source), ShapeError);
    CHECK_THROWS_AS(kernels::scale(target, 2), ShapeError);
    CHECK_THROWS_AS(kernels::lerp(target, source, 0.5), ShapeError);
    CHECK_THROWS_AS(kernels::sgd(target, source, Tensor(),
                                 {.lr = 1, .momentum = 0, .weight_decay = 0, .nesterov = false}),
                    ShapeError);
    CHECK_THROWS_AS(kernels::adam(target, source, raw::clone(source), raw::clone(source), {}),
                    ShapeError);
    CHECK_THROWS_AS(kernels::adam(raw::clone(source), source, target, raw::clone(source), {}),
                    ShapeError);
    CHECK_THROWS_AS(kernels::lion(target, source, raw::clone(source), {}), ShapeError);
  }
  CHECK(base.to_vector<float>() == std::vector<float>(8, 0.0F));
  CHECK(error_text<ShapeError>([&] {
          raw::add_scaled(windows, Tensor::ones({3, 3}));
        }) ==
        "[add_scaled] elements of the target share memory: (3, 3) with strides (1, 1); copy it "
        "first");
}

TEST_CASE("steps that interlock without meeting are no overlap") {
  const Tensor base = Tensor::zeros({16});
  CHECK_FALSE(raw::overlaps_itself(base.as_strided({2, 3}, {3, 2})));  // 0 2 4, 3 5 7
  CHECK(raw::overlaps_itself(base.as_strided({3, 4}, {3, 2})));        // 6 twice
  CHECK_FALSE(raw::overlaps_itself(raw::transpose(raw::reshape(base, {4, 4}), 0, 1)));
  CHECK_FALSE(raw::overlaps_itself(raw::slice(raw::reshape(base, {4, 4}), 1, 1, 3)));
  base.as_strided({2, 3}, {3, 2}).fill(1);
  CHECK(base.to_vector<float>() ==
        std::vector<float>{1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE(
    "an optimizer's kernel refuses a target with gaps instead of writing between its elements") {
  const Tensor base = Tensor::zeros({6}), every_second = base.as_strided({3}, {2});
  CHECK(error_text<ShapeError>([&] { kernels::scale(every_second, 2); }) ==
        "[scale] expects a contiguous target, got (3,) with strides (2,); change a contiguous copy "
        "and copy it back");
  const Tensor shifted = Tensor::arange(100'001, DType::f64);
  std::vector<double> expected = shifted.to_vector<double>();
  for (std::size_t i = expected.size() - 1; i > 0; --i)
    expected[i] = 0.5 * expected[i] + 0.5 * expected[i - 1];
  kernels::lerp(raw::slice(shifted, 0, 1, 100'001), raw::slice(shifted, 0, 0, 100'000), 0.5);
  CHECK(shifted.to_vector<double>() == expected);
}

TEST_CASE("the first NaN or infinity of a stretched view is found where it is shown") {
  const Tensor x = Tensor::from<float>({1, std::numeric_limits<float>::infinity(), 3}, {3, 1});
  CHECK(raw::find_nonfinite(raw::expand(x, {2, 3, 4})) == 4);
  CHECK(raw::find_nonfinite(raw::expand(raw::slice(x, 0, 2, 3), {5, 4})) == -1);
}
