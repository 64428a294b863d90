#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/tensor.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;

namespace {

constexpr DType kAllTypes[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8};

/// Every element against the row-major count, for tensors made of an arange.
void check_counts_up(const Tensor& t) {
  const std::vector<double> values = t.to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == static_cast<double>(i));
}

}  // namespace

TEST_CASE("tensors of every dtype are made and read") {
  for (const DType dtype : kAllTypes) {
    INFO(std::string(name(dtype)));
    const Tensor t = Tensor::full({2, 3}, 7, dtype);
    CHECK(t.dtype() == dtype);
    CHECK(t.shape() == Shape{2, 3});
    CHECK(t.strides() == Shape{3, 1});
    CHECK(t.is_contiguous());
    CHECK(t.to_vector<double>() == std::vector<double>(6, 7.0));
    CHECK(Tensor::scalar(3, dtype).item() == 3);
    CHECK(Tensor::zeros({5}, dtype).to_vector<float>() == std::vector<float>(5, 0.0f));
    CHECK(Tensor::ones({}, dtype).item() == 1);
    check_counts_up(Tensor::arange(100, dtype));
  }
  CHECK(Tensor::from({1.5f, 2.5f}, {2}).dtype() == DType::f32);
  CHECK(Tensor::from<std::int64_t>({1, 2}, {1, 2}).at({0, 1}) == 2);
  CHECK(Tensor::arange(0).numel() == 0);
  CHECK(error_text<ShapeError>([] {
          Tensor::from({1.0f, 2.0f}, {3});
        }) == "[from] 2 values do not fill shape (3,), which has 3");
  CHECK(error_text<ShapeError>([] { Tensor::arange(-1); }) ==
        "[shape] a size may not be negative: (-1,)");
}

TEST_CASE("empty and 0-d tensors go through everything") {
  const Tensor empty = Tensor::zeros({0, 3});
  CHECK(empty.numel() == 0);
  CHECK(empty.is_contiguous());
  CHECK(empty.data<float>() != nullptr);
  CHECK(empty.to_vector<float>().empty());
  CHECK(raw::reshape(empty, {3, 0}).shape() == Shape{3, 0});
  CHECK(raw::reshape(empty, {-1, 3}).shape() == Shape{0, 3});
  CHECK(raw::transpose(empty, 0, 1).shape() == Shape{3, 0});
  CHECK(raw::clone(raw::expand(Tensor::zeros({0, 1}), {0, 4})).shape() == Shape{0, 4});
  CHECK(raw::cast(empty, DType::i64).numel() == 0);
  CHECK(raw::find_nonfinite(empty) == -1);
  raw::add_scaled(empty, empty);
  empty.fill(2);
  const Tensor scalar = Tensor::scalar(4);
  CHECK(scalar.rank() == 0);
  CHECK(raw::reshape(scalar, {1, 1}).at({0, 0}) == 4);
  CHECK(raw::expand(scalar, {2, 2}).to_vector<float>() == std::vector<float>(4, 4.0f));
  CHECK(raw::permute(scalar, {}).item() == 4);
  CHECK(scalar.at({}) == 4);
}

TEST_CASE("an undefined tensor says so") {
  const Tensor t;
  CHECK_FALSE(t.defined());
  static_assert(!std::is_constructible_v<bool, Tensor>,
                "`if (equal(a, b))` asks many elements for one answer");
  CHECK_FALSE(t.is_unique());
  CHECK(error_text<Error>([&] { t.shape(); }) ==
        "[tensor] an undefined tensor was used; assign one first");
  CHECK(error_text<Error>([&] { t.data<float>(); }) ==
        "[tensor] an undefined tensor was used; assign one first");
  CHECK(to_string(t) == "undefined");
}

TEST_CASE("reading an element, a size or a pointer is checked") {
  const Tensor t = raw::reshape(Tensor::arange(6, DType::f32), {2, 3});
  CHECK(t.at({1, 2}) == 5);
  CHECK(t.size(-1) == 3);
  CHECK(error_text<IndexError>([&] { t.at({1, 3}); }) == "[at] index (1, 3) is outside (2, 3)");
  CHECK(error_text<IndexError>([&] { t.at({1}); }) == "[at] index (1,) is outside (2, 3)");
  CHECK(error_text<IndexError>([&] { t.at({-1, 0}); }) == "[at] index (-1, 0) is outside (2, 3)");
  CHECK(error_text<ShapeError>([&] { t.item(); }) ==
        "[item] expects a tensor of one element, got (2, 3)");
  CHECK(error_text<IndexError>([&] { t.size(2); }) ==
        "[size] dimension 2 is out of range for 2 dimensions");
  CHECK(error_text<DTypeError>([&] { t.data<double>(); }) == "[data] a f32 tensor was read as f64");
}

TEST_CASE("handles share, views share storage, copies do not") {
  Tensor a = Tensor::zeros({4});
  CHECK(a.is_unique());
  {
    const Tensor handle = a;
    CHECK_FALSE(a.is_unique());
  }
  CHECK(a.is_unique());
  const Tensor view = raw::reshape(a, {2, 2});
  CHECK_FALSE(a.is_unique());
  CHECK(view.shares_storage(a));
  view.fill(3);
  CHECK(a.at({3}) == 3);
  CHECK_FALSE(raw::clone(a).shares_storage(a));
  CHECK(raw::contiguous(a).shares_storage(a));
  CHECK(raw::cast(a, DType::f32).shares_storage(a));
}

TEST_CASE("as_strided stays inside its storage") {
  const Tensor t = Tensor::arange(12, DType::f32);
  CHECK(t.as_strided({3}, {4}, 1).to_vector<float>() == std::vector<float>{1, 5, 9});
  CHECK(t.as_strided({2, 2}, {0, 1}, 10).to_vector<float>() == std::vector<float>{10, 11, 10, 11});
  const Tensor later = raw::slice(t, 0, 4, 8);
  CHECK(later.as_strided({2}, {1}, -4).to_vector<float>() == std::vector<float>{0, 1});
  CHECK(error_text<ShapeError>([&] { t.as_strided({3}, {4}, 4); }) ==
        "[as_strided] shape (3,) with strides (4,) from element 4 reaches outside a storage of 12 "
        "elements");
  CHECK_THROWS_AS(t.as_strided({13}, {1}), ShapeError);
  CHECK_THROWS_AS(later.as_strided({1}, {1}, -5), ShapeError);
  CHECK_THROWS_AS(t.as_strided({1}, {1}, std::numeric_limits<std::int64_t>::max()), ShapeError);
  CHECK_THROWS_AS(t.as_strided({3, 3}, {std::int64_t{1} << 62, std::int64_t{1} << 62}), ShapeError);
  CHECK(error_text<ShapeError>([&] { t.as_strided({3}, {-1}, 5); }) ==
        "[as_strided] a stride may not be negative: (-1,)");
  CHECK(error_text<ShapeError>([&] {
          t.as_strided({3}, {1, 1});
        }) == "[as_strided] shape (3,) and strides (1, 1) differ in rank");
}

TEST_CASE("reshape makes a view wherever there is one") {
  const Tensor t = raw::reshape(Tensor::arange(24, DType::f32), {2, 3, 4});
  check_counts_up(raw::reshape(t, {6, -1}));
  CHECK(raw::reshape(t, {6, -1}).shares_storage(t));
  CHECK(raw::reshape(t, {-1}).shape() == Shape{24});
  CHECK(raw::reshape(t, {2, 3, 4}).shares_storage(t));
  // Dimensions 0 and 1 of a slice of the last one still form one run; 1 and 2 do not.
  const Tensor part = raw::slice(t, 2, 0, 2);
  CHECK(raw::reshape(part, {6, 2}).shares_storage(t));
  CHECK(raw::reshape(part, {3, 1, 2, 2}).shares_storage(t));
  CHECK(raw::reshape(part, {3, 1, 2, 2}).to_vector<float>() == part.to_vector<float>());
  CHECK_FALSE(raw::reshape(part, {2, 6}).shares_storage(t));
  CHECK(raw::reshape(part, {2, 6}).to_vector<float>() == part.to_vector<float>());
  const Tensor swapped = raw::permute(t, {2, 0, 1});
  CHECK(raw::reshape(swapped, {2, 2, 6}).shares_storage(t));
  CHECK(raw::reshape(swapped, {2, 2, 6}).to_vector<float>() == swapped.to_vector<float>());
  CHECK_FALSE(raw::reshape(swapped, {24}).shares_storage(t));
  CHECK(raw::reshape(swapped, {24}).to_vector<float>() == swapped.to_vector<float>());
  const Tensor stretched = raw::expand(Tensor::scalar(1), {4, 6});
  CHECK(raw::reshape(stretched, {2, 12}).shares_storage(stretched));
}

TEST_CASE("reshape refuses what does not fit") {
  const Tensor t = Tensor::zeros({4, 8});
  CHECK(error_text<ShapeError>([&] {
          raw::reshape(t, {5, -1});
        }) == "[reshape] cannot turn (4, 8) into (5, -1)");
  CHECK(error_text<ShapeError>([&] {
          raw::reshape(t, {4, 9});
        }) == "[reshape] cannot turn (4, 8) into (4, 9)");
  CHECK(error_text<ShapeError>([&] {
          raw::reshape(t, {-1, -1});
        }) == "[reshape] cannot turn (4, 8) into (-1, -1)");
  CHECK(error_text<ShapeError>([&] {
          raw::reshape(t, {-2, 4});
        }) == "[reshape] cannot turn (4, 8) into (-2, 4)");
  CHECK(error_text<ShapeError>([&] {
          raw::reshape(t, {0, -1});
        }) == "[reshape] cannot turn (4, 8) into (0, -1)");
  CHECK_THROWS_AS(raw::reshape(t, {std::int64_t{1} << 33, std::int64_t{1} << 33}), ShapeError);
}

TEST_CASE("permute, transpose, expand and slice are views with the right elements") {
  const Tensor t = raw::reshape(Tensor::arange(24, DType::i64), {2, 3, 4});
  const Tensor p = raw::permute(t, {2, 0, -2});
  CHECK(p.shape() == Shape{4, 2, 3});
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j)
      for (std::int64_t k = 0; k < 4; ++k) CHECK(p.at({k, i, j}) == t.at({i, j, k}));
  CHECK(raw::transpose(t, 0, -1).at({3, 1, 0}) == t.at({0, 1, 3}));
  const Tensor s = raw::slice(t, -1, 1, 4, 2);
  CHECK(s.shape() == Shape{2, 3, 2});
  CHECK(s.at({1, 2, 1}) == t.at({1, 2, 3}));
  CHECK(raw::slice(t, 0, 2, 2).numel() == 0);
  CHECK(raw::slice(t, 0, 0, 2, std::numeric_limits<std::int64_t>::max()).shape() == Shape{1, 3, 4});
  CHECK(raw::expand(Tensor::arange(3), {2, 3}).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{0, 1, 2, 0, 1, 2});
  CHECK(error_text<ShapeError>([&] {
          raw::permute(t, {0, 1});
        }) == "[permute] (0, 1) is not a permutation of the dimensions of (2, 3, 4)");
  CHECK(error_text<ShapeError>([&] {
          raw::permute(t, {0, 1, 1});
        }) == "[permute] (0, 1, 1) is not a permutation of the dimensions of (2, 3, 4)");
  CHECK(error_text<IndexError>([&] {
          raw::permute(t, {0, 1, 3});
        }) == "[permute] dimension 3 is out of range for 3 dimensions");
  CHECK(error_text<ShapeError>([&] {
          raw::expand(t, {2, 3, 5});
        }) == "[expand] (2, 3, 4) does not broadcast to (2, 3, 5)");
  CHECK(error_text<IndexError>([&] { raw::slice(t, 1, 1, 4); }) ==
        "[slice] 1:4:1 does not fit dimension 1 of (2, 3, 4); expects 0 <= begin <= end <= 3, step "
        ">= 1");
  CHECK_THROWS_AS(raw::slice(t, 1, 2, 1), IndexError);
  CHECK_THROWS_AS(raw::slice(t, 1, 0, 1, 0), IndexError);
}

TEST_CASE("add_scaled adds in place, whatever the strides") {
  const Tensor a = raw::reshape(Tensor::arange(12, DType::f64), {3, 4});
  const Tensor b = raw::transpose(raw::reshape(Tensor::arange(12, DType::f64), {4, 3}), 0, 1);
  const Tensor target = raw::transpose(raw::clone(raw::transpose(a, 0, 1)), 0, 1);
  raw::add_scaled(target, b, -2);
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 4; ++j)
      CHECK(target.at({i, j}) == a.at({i, j}) - 2 * b.at({i, j}));
  CHECK(error_text<ShapeError>([&] {
          raw::add_scaled(a, Tensor::zeros({4, 3}, DType::f64));
        }) == "[add_scaled] shapes differ: target (3, 4), source (4, 3)");
  CHECK(error_text<DTypeError>([&] {
          raw::add_scaled(a, Tensor::zeros({3, 4}));
        }) == "[add_scaled] dtypes differ: target f64, source f32");
  CHECK(error_text<DTypeError>([] {
          raw::add_scaled(Tensor::zeros({2}, DType::i32), Tensor::zeros({2}, DType::i32));
        }) == "[add_scaled] expects f32 or f64, got i32");
}

TEST_CASE("the first value that is not finite is found") {
  const Tensor t = Tensor::zeros({3, 50000});
  CHECK(raw::find_nonfinite(t) == -1);
  t.data<float>()[149999] = std::numeric_limits<float>::infinity();
  CHECK(raw::find_nonfinite(t) == 149999);
  t.data<float>()[70001] = std::nanf("");
  CHECK(raw::find_nonfinite(t) == 70001);
  CHECK(raw::find_nonfinite(raw::transpose(t, 0, 1)) == 20001 * 3 + 1);
  CHECK(raw::find_nonfinite(Tensor::ones({4}, DType::i64)) == -1);
}

TEST_CASE("tensors print short") {
  CHECK(to_string(raw::reshape(Tensor::arange(6), {2, 3})) == "i64 (2, 3) [[0, 1, 2], [3, 4, 5]]");
  CHECK(to_string(Tensor::scalar(1.5)) == "f32 () 1.5");
  CHECK(to_string(Tensor::arange(100)) == "i64 (100,) [0, 1, 2, ..., 97, 98, 99]");
  CHECK(to_string(Tensor::arange(7)) == "i64 (7,) [0, 1, 2, ..., 4, 5, 6]");
  CHECK(to_string(Tensor::zeros({0, 2})) == "f32 (0, 2) []");
  CHECK(to_string(Tensor::zeros({50, 50, 50, 50, 50})).size() < 1000);
}
