// Options of rows and columns: one number is both, two are each, and nothing else compiles.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <utility>

#include "autograd/ops/conv.h"
#include "autograd/ops/roi_align.h"
#include "core/size2.h"
#include "nn/conv2d.h"

namespace weft {
namespace {

template <class... A>
concept MakesSize = requires(A... a) {
  Size2{a...};
};

static_assert(MakesSize<int> && MakesSize<std::int64_t> && MakesSize<int, std::int64_t> &&
              MakesSize<std::size_t>);
static_assert(!MakesSize<> && !MakesSize<int, int, int>);
static_assert(!MakesSize<double> && !MakesSize<int, double> && !MakesSize<float, int> &&
              !MakesSize<bool> && !MakesSize<int, bool>);
static_assert(!MakesSize<std::array<std::int64_t, 2>> && !MakesSize<std::pair<int, int>> &&
              !MakesSize<std::nullptr_t>);

// Written as a user writes them. O: the options, by designated initializers.
template <class O>
concept TakesOne = requires {
  O{.stride = 2, .padding = 1};
};
template <class O>
concept TakesTwo = requires {
  O{.stride = {2, 1}, .padding = {1, 0}};
};
template <class O>
concept TakesNone = requires {
  O{.padding = {}};
};
template <class O>
concept TakesThree = requires {
  O{.padding = {1, 2, 3}};
};
template <class O>
concept TakesFraction = requires {
  O{.padding = 1.5};
};

template <class O>
constexpr bool kIsStrict =
    TakesOne<O>&& TakesTwo<O> && !TakesNone<O> && !TakesThree<O> && !TakesFraction<O>;
static_assert(kIsStrict<Conv2dOptions> && kIsStrict<Pool2dOptions> &&
              kIsStrict<nn::Conv2dLayerOptions>);

template <class O>
concept GridOfOneOrTwo = requires {
  O{.grid = 3};
  O{.grid = {3, 2}};
}
&&!requires { O{.grid = {}}; }
&&!requires { O{.grid = {1, 2, 3}}; };
static_assert(GridOfOneOrTwo<RoiAlignOptions>);

}  // namespace

TEST_CASE("one number means rows and columns, in layers, convolutions and poolings") {
  const Tensor x = Tensor::ones({1, 1, 6, 6});
  CHECK(nn::Conv2d(1, 1, 3, {.padding = 1}).forward(x).shape() ==
        Shape{1, 1, 6, 6});  // it was (1, 1, 6, 4)
  CHECK(nn::Conv2d(1, 1, 3, {.stride = 2, .padding = 1}).forward(x).shape() == Shape{1, 1, 3, 3});
  CHECK(nn::Conv2d(1, 1, {3, 1}, {.padding = {1, 0}}).forward(x).shape() == Shape{1, 1, 6, 6});
  CHECK(nn::Conv2d(1, 1, {3, 1}).details() == "1 -> 1, kernel 3 x 1");
  CHECK(conv2d(x, Tensor::ones({1, 1, 3, 3}), Tensor(), {.stride = 3, .padding = 2}).shape() ==
        Shape{1, 1, 3, 3});
  CHECK(max_pool2d(x, {.kernel = 3}).shape() == Shape{1, 1, 2, 2});
  CHECK(max_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1}).shape() == Shape{1, 1, 6, 6});
  CHECK(avg_pool2d(x, {.stride = 1}).shape() == Shape{1, 1, 5, 5});
  CHECK(avg_pool2d(x, {.kernel = {1, 3}}).shape() == Shape{1, 1, 6, 2});
  CHECK(roi_align(x, Tensor::zeros({1, 5}), {.grid = 3}).shape() == Shape{1, 1, 3, 3});
}

TEST_CASE("rows come first") {
  constexpr Size2 both = 4, each{2, 3};
  CHECK(both == Size2(4, 4));
  CHECK(each.rows() == 2);
  CHECK(each.columns() == 3);
  CHECK(each[0] == 2);
  CHECK(each[1] == 3);
}

}  // namespace weft
