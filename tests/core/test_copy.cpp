#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/kernels/copy.h"
#include "core/parallel.h"
#include "core/tensor.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;

namespace {

constexpr DType kCopied[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8};

/// Element by element, through at(), which shares no code with the copy.
std::vector<double> naive(const Tensor& t) {
  std::vector<double> out;
  Shape index = Shape::filled(t.rank(), 0);
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    out.push_back(t.at(index));
    for (int d = t.rank() - 1; d >= 0 && ++index[d] == t.shape()[d]; --d) index[d] = 0;
  }
  return out;
}

Tensor counted(const Shape& shape, DType dtype = DType::f32) {
  // Values below 251 are exact in every dtype.
  const Tensor t = Tensor::empty({shape.numel()}, DType::i64);
  for (std::int64_t i = 0; i < t.numel(); ++i) t.data<std::int64_t>()[i] = i * 7 % 251;
  return raw::reshape(raw::cast(t, dtype), shape);
}

}  // namespace

TEST_CASE("every order of the dimensions is copied right, for every dtype") {
  const Shape shapes[] = {{5, 1, 7, 6}, {2, 33, 4, 35}, {1, 2, 3, 130}, {64, 2, 65, 1}};
  for (const DType dtype : kCopied)
    for (const Shape& shape : shapes) {
      const Tensor t = counted(shape, dtype);
      Shape order{0, 1, 2, 3};
      do {
        const Tensor view = raw::permute(t, order);
        INFO(fmt::format("{} {} {}", name(dtype), shape.str(), order.str()));
        REQUIRE(raw::clone(view).is_contiguous());
        REQUIRE(naive(raw::clone(view)) == naive(view));
      } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEST_CASE("every pair of dtypes converts, from any strides to any strides") {
  for (const DType from : kCopied)
    for (const DType to : kCopied) {
      INFO(fmt::format("{} to {}", name(from), name(to)));
      const Tensor source = raw::slice(raw::transpose(counted({40, 9, 8}, from), 0, 2), 1, 1, 9, 3);
      const Tensor base = Tensor::zeros({40, 8, 3}, to);
      const Tensor target = raw::permute(base, {1, 2, 0});
      target.copy_from(source);
      CHECK(naive(target) == naive(source));
      CHECK(naive(raw::cast(source, to)) == naive(source));
    }
}

TEST_CASE("copies broadcast, and refuse what does not fit") {
  const Tensor target = Tensor::zeros({3, 4});
  target.copy_from(Tensor::arange(4, DType::f32));
  CHECK(target.at({2, 3}) == 3);
  target.copy_from(Tensor::scalar(9, DType::i64));
  CHECK(target.at({0, 0}) == 9);
  CHECK(error_text<ShapeError>([&] { target.copy_from(Tensor::zeros({3})); }) ==
        "[copy_from] (3,) cannot be copied into (3, 4)");
  CHECK(error_text<ShapeError>([&] {
          target.copy_from(Tensor::zeros({2, 3, 4}));
        }) == "[copy_from] (2, 3, 4) cannot be copied into (3, 4)");
  const Tensor stretched = raw::expand(Tensor::zeros({4}), {3, 4});
  CHECK(
      error_text<ShapeError>([&] { stretched.copy_from(target); }) ==
      "[copy_from] elements of the target share memory: (3, 4) with strides (0, 1); copy it first");
  CHECK(error_text<ShapeError>([&] { stretched.fill(1); }) ==
        "[fill] elements of the target share memory: (3, 4) with strides (0, 1); copy it first");
}

TEST_CASE("a copy between overlapping views reads before it writes") {
  const Tensor t = Tensor::arange(10, DType::f32);
  raw::slice(t, 0, 1, 10).copy_from(raw::slice(t, 0, 0, 9));
  CHECK(t.to_vector<float>() == std::vector<float>{0, 0, 1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor square = raw::reshape(Tensor::arange(9, DType::f32), {3, 3});
  square.copy_from(raw::transpose(square, 0, 1));
  CHECK(square.to_vector<float>() == std::vector<float>{0, 3, 6, 1, 4, 7, 2, 5, 8});
}

TEST_CASE("floats outside an integer's range stop at its ends, and NaN is 0") {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor t = Tensor::from(
      {inf, -inf, nan, 1e300, -1e300, 2.9, -2.9, 255.9, 256.0, 2147483647.5, -2147483648.5, 9.3e18},
      {12});
  for (const DType source : {DType::f64, DType::f32}) {
    const Tensor from = raw::cast(t, source);
    CHECK(raw::cast(from, DType::u8).to_vector<std::uint8_t>() ==
          std::vector<std::uint8_t>{255, 0, 0, 255, 0, 2, 0, 255, 255, 255, 0, 255});
    const auto i32 = raw::cast(from, DType::i32).to_vector<std::int32_t>();
    constexpr auto kLow = std::numeric_limits<std::int32_t>::min();
    constexpr auto kHigh = std::numeric_limits<std::int32_t>::max();
    CHECK(i32 == std::vector<std::int32_t>{kHigh, kLow, 0, kHigh, kLow, 2, -2, 255, 256, kHigh,
                                           kLow, kHigh});
    const auto i64 = raw::cast(from, DType::i64).to_vector<std::int64_t>();
    CHECK(i64[0] == std::numeric_limits<std::int64_t>::max());
    CHECK(i64[1] == std::numeric_limits<std::int64_t>::min());
    CHECK(i64[2] == 0);
    CHECK(i64[11] == std::numeric_limits<std::int64_t>::max());
  }
  CHECK(raw::cast(Tensor::from<std::int64_t>({-1, 300, std::int64_t{1} << 40}, {3}), DType::u8)
            .to_vector<std::uint8_t>() == std::vector<std::uint8_t>{0, 255, 255});
  CHECK(Tensor::full({1}, nan, DType::i64).item() == 0);
}

TEST_CASE("large copies are whole, for any number of threads") {
  const Tensor t = Tensor::empty({3, 401, 257});
  for (std::int64_t i = 0; i < t.numel(); ++i) t.data<float>()[i] = static_cast<float>(i);
  const int before = num_threads();
  std::vector<float> expected;
  for (std::int64_t k = 0; k < 257; ++k)
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t j = 0; j < 401; ++j)
        expected.push_back(static_cast<float>((i * 401 + j) * 257 + k));
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    CHECK(raw::clone(raw::permute(t, {2, 0, 1})).to_vector<float>() == expected);
    CHECK(raw::clone(t).to_vector<float>() == t.to_vector<float>());
    const Tensor filled = Tensor::full({100001}, 3);
    CHECK(filled.to_vector<float>() == std::vector<float>(100001, 3.0f));
    CHECK(raw::clone(raw::expand(Tensor::scalar(2), {70000})).to_vector<float>() ==
          std::vector<float>(70000, 2.0f));
  }
  set_num_threads(before);
}

TEST_CASE("filling a view leaves its surroundings alone") {
  const Tensor t = Tensor::zeros({4, 6});
  raw::slice(raw::slice(t, 1, 1, 6, 2), 0, 1, 3).fill(5);
  double sum = 0;
  for (const double value : naive(t)) sum += value;
  CHECK(sum == 5 * 6);
  CHECK(t.at({1, 1}) == 5);
  CHECK(t.at({2, 5}) == 5);
  CHECK(t.at({1, 2}) == 0);
}
