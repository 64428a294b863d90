#include <doctest/doctest.h>

#include "core/dtype.h"
#include "core/shape.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;

TEST_CASE("a shape counts, prints and compares") {
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{}.str() == "()");
  CHECK(Shape{5}.str() == "(5,)");
  CHECK(Shape{4, 8}.str() == "(4, 8)");
  CHECK(Shape{4, 0, 3}.numel() == 0);
  CHECK(Shape{2, 3, 4}.numel() == 24);
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK(Shape{2, 3, 4}.row_major_strides() == Shape{12, 4, 1});
  CHECK(Shape{2, 0, 4}.row_major_strides() == Shape{4, 4, 1});
  CHECK(Shape{2, 3, 4}.back() == 4);
  CHECK(Shape::filled(3, 7) == Shape{7, 7, 7});
}

TEST_CASE("sizes are inserted and erased in place") {
  Shape shape{2, 4};
  shape.insert(1, 3);
  CHECK(shape == Shape{2, 3, 4});
  shape.insert(0, 1);
  CHECK(shape == Shape{1, 2, 3, 4});
  shape.insert(4, 5);
  CHECK(shape == Shape{1, 2, 3, 4, 5});
  shape.erase(0);
  shape.erase(3);
  CHECK(shape == Shape{2, 3, 4});
}

TEST_CASE("impossible shapes are named") {
  CHECK(error_text<ShapeError>([] { Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}; }) ==
        "[shape] at most 8 dimensions");
  CHECK(error_text<ShapeError>([] {
          Shape({-2, 3}).numel();
        }) == "[shape] a size may not be negative: (-2, 3)");
  CHECK(error_text<ShapeError>([] {
          Shape({std::int64_t{1} << 62, 2}).numel();
        }) == "[shape] more than 2^62 elements: (4611686018427387904, 2)");
}

TEST_CASE("broadcasting follows NumPy") {
  CHECK(broadcast_shapes({4, 1}, {3}, "add") == Shape{4, 3});
  CHECK(broadcast_shapes({}, {2, 3}, "add") == Shape{2, 3});
  CHECK(broadcast_shapes({5, 1, 3}, {4, 1}, "add") == Shape{5, 4, 3});
  CHECK(broadcast_shapes({0, 3}, {1, 3}, "add") == Shape{0, 3});
  CHECK(error_text<ShapeError>([] {
          broadcast_shapes({4, 8}, {6, 8}, "add");
        }) ==
        "[add] shapes do not broadcast: a (4, 8), b (6, 8); each pair of sizes, from the last, "
        "must be equal or hold a 1");
  CHECK(broadcasts_to({1, 3}, {4, 3}));
  CHECK(broadcasts_to({}, {4, 3}));
  CHECK_FALSE(broadcasts_to({4, 3}, {3}));
  CHECK_FALSE(broadcasts_to({4, 3}, {1, 3}));
}

TEST_CASE("dimensions may be counted from the end") {
  CHECK(normalize_dim(-1, 3, "sum") == 2);
  CHECK(normalize_dim(0, 3, "sum") == 0);
  CHECK(error_text<IndexError>([] { normalize_dim(3, 3, "sum"); }) ==
        "[sum] dimension 3 is out of range for 3 dimensions");
  CHECK(error_text<IndexError>([] { normalize_dim(-2, 1, "sum"); }) ==
        "[sum] dimension -2 is out of range for 1 dimension");
  CHECK(error_text<IndexError>([] { normalize_dim(0, 0, "sum"); }) ==
        "[sum] dimension 0 is out of range for 0 dimensions");
}

TEST_CASE("dtypes know their names and sizes, and dispatch refuses the wrong kind") {
  CHECK(name(DType::f32) == "f32");
  CHECK(name(DType::u8) == "u8");
  CHECK(item_size(DType::i64) == 8);
  CHECK(item_size(DType::u8) == 1);
  CHECK(dispatch_float(DType::f64, "relu", [](auto zero) { return sizeof(zero); }) == 8);
  CHECK(error_text<DTypeError>([] { dispatch_float(DType::i32, "relu", [](auto) {}); }) ==
        "[relu] expects f32 or f64, got i32");
  CHECK(error_text<DTypeError>([] { dispatch_index(DType::f32, "embedding", [](auto) {}); }) ==
        "[embedding] expects ids as i32 or i64, got f32");
}
