// Views, indexing, convolution and pooling: what their samples do not show.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "core/parallel.h"

using namespace weft;
using samples::flat;
using samples::values;

namespace {

Tensor f32(const Tensor& t) { return raw::cast(t, DType::f32); }

/// The output and all gradients of one call, with each number of threads.
template <class F>
void check_same_bits(const std::vector<Tensor>& inputs, const F& call) {
  std::vector<std::vector<double>> seen[2];
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const Tensor& t : inputs)
      if (is_float(t.dtype())) t.set_requires_grad().zero_grad();
    const Tensor out = call(inputs);
    out.backward(f32(values(out.shape(), 99)));
    auto& all = seen[threads == 1 ? 0 : 1];
    all.push_back(flat(out));
    for (const Tensor& t : inputs)
      if (is_float(t.dtype())) all.push_back(flat(t.grad()));
  }
  set_num_threads(2);
  CHECK(seen[0] == seen[1]);
}

}  // namespace

TEST_CASE("elements of every dtype are moved") {
  const Tensor bytes = Tensor::from<std::uint8_t>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(flat(cat({bytes, flip(bytes, {1})}, 0)) ==
        std::vector<double>{1, 2, 3, 4, 5, 6, 3, 2, 1, 6, 5, 4});
  CHECK(flat(pad(bytes, {1, 0}, 9)) == std::vector<double>{9, 1, 2, 3, 9, 4, 5, 6});
  const Tensor ids = Tensor::from<std::int32_t>({7, 8, 9}, {3});
  CHECK(flat(roll(ids, 1, 0)) == std::vector<double>{9, 7, 8});
  CHECK(flat(index_select(ids, 0, Tensor::from<std::int64_t>({2, 2}, {2}))) ==
        std::vector<double>{9, 9});
  CHECK(stack({ids, ids}, 1).dtype() == DType::i32);
}

TEST_CASE("views share the elements of their source and nothing of its graph") {
  const Tensor x = values({4, 4}, 1).set_requires_grad();
  for (const Tensor& view :
       {reshape(x, {4, 4}), reshape(x, {2, 8}), permute(x, {0, 1}), expand(x, {4, 4}),
        slice(x, 0, 0, 4), select(x, 1, 2), split(x, {2, 2}, 0)[1]}) {
    CHECK(view.shares_storage(x));
    CHECK(view.grad_meta() != x.grad_meta());
    CHECK(view.requires_grad());
  }
  CHECK_FALSE(x.grad_meta()->node);
}

TEST_CASE("a slice takes what Python's takes") {
  const Tensor x = Tensor::arange(7);
  CHECK(flat(slice(x, 0, -3, std::numeric_limits<std::int64_t>::max())) ==
        std::vector<double>{4, 5, 6});
  CHECK(flat(slice(x, 0, std::numeric_limits<std::int64_t>::min(), -5)) ==
        std::vector<double>{0, 1});
  CHECK(flat(slice(x, 0, 1, 7, 3)) == std::vector<double>{1, 4});
  CHECK(slice(x, 0, 5, 2).numel() == 0);
}

TEST_CASE("one backward through split makes one gradient") {
  const Tensor x = values({3, 6}, 2).set_requires_grad();
  const auto pieces = split(x, {1, 3, 2}, 1);
  sum(mul(pieces[0], 2.0) + sum(pieces[2])).backward();  // the middle piece is unused
  CHECK(flat(x.grad()) ==
        std::vector<double>{2, 0, 0, 0, 3, 3, 2, 0, 0, 0, 3, 3, 2, 0, 0, 0, 3, 3});
}

TEST_CASE("added gradients have the same bits for any number of threads") {
  const Tensor index = samples::ids({3000}, 50, 1);
  check_same_bits({f32(values({50, 200}, 1)), index},
                  [](const auto& in) { return embedding(in[0], in[1]); });
  check_same_bits({f32(values({200, 50}, 2)), index},
                  [](const auto& in) { return index_select(in[0], 1, in[1]); });
  check_same_bits({f32(values({300, 50}, 3)), samples::ids({300, 1000}, 50, 2)},
                  [](const auto& in) { return gather(in[0], 1, in[1]); });
  check_same_bits({f32(values({50, 700}, 4)), samples::ids({400, 700}, 50, 3)},
                  [](const auto& in) { return gather(in[0], 0, in[1]); });
}

TEST_CASE("convolutions have the same bits for any number of threads") {
  const Tensor x = f32(values({19, 4, 24, 24}, 1)), bias = f32(values({6}, 2));
  const auto conv = [](const Conv2dOptions& o) {
    return [=](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], o); };
  };
  check_same_bits({x, f32(values({6, 4, 3, 3}, 3)), bias},
                  conv({.stride = {1, 2}, .padding = {1, 1}}));
  check_same_bits({x, f32(values({6, 2, 3, 3}, 4)), bias}, conv({.groups = 2}));
  check_same_bits({x, f32(values({6, 4, 1, 1}, 5)), bias}, conv({}));
  check_same_bits({x, f32(values({6, 4, 4, 4}, 6)), bias}, conv({.stride = {4, 4}}));
  check_same_bits({x}, [](const auto& in) {
    return max_pool2d(in[0], {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
  });
  check_same_bits({x}, [](const auto& in) { return avg_pool2d(in[0]); });
}

TEST_CASE("an image larger than a tile is the sum of its parts") {
  // One row of the patches' matrix is longer than a tile, so tiles are single rows.
  const Tensor x = values({1, 8, 6, 2000}, 1).set_requires_grad(),
               weight = values({3, 8, 3, 3}, 2).set_requires_grad();
  const Tensor out = conv2d(x, weight, Tensor(), {.padding = {1, 1}}),
               seed = values(out.shape(), 3);
  out.backward(seed);
  double expected = 0, inner = 0;
  for (std::int64_t c = 0; c < 8; ++c)
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t j = 0; j < 3; ++j)
        expected += x.at({0, c, 3 + i, 999 + j}) * weight.at({2, c, i, j});
  CHECK(out.at({0, 2, 4, 1000}) == doctest::Approx(expected));
  // <conv(x, w), g> is linear in x and in w: its gradients give the same number back.
  for (const double v : flat(raw::contiguous(out * seed))) inner += v;
  CHECK(sum(x.grad() * x).item() == doctest::Approx(inner));
  CHECK(sum(weight.grad() * weight).item() == doctest::Approx(inner));
}

TEST_CASE("pooling finds the first of equals, and NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               inf = std::numeric_limits<double>::infinity();
  for (const Pool2dOptions& o :
       {Pool2dOptions{}, Pool2dOptions{.kernel = {3, 3}, .padding = {1, 1}}}) {
    const Tensor equal = Tensor::ones({1, 1, 2, 2}, DType::f64).set_requires_grad();
    max_pool2d(equal, o).backward();
    CHECK(flat(equal.grad()) == std::vector<double>{1, 0, 0, 0});
    const Tensor one_nan = Tensor::from<double>({1, 2, nan, 3}, {1, 1, 2, 2}).set_requires_grad();
    const Tensor largest = max_pool2d(one_nan, o);
    CHECK(std::isnan(largest.item()));
    largest.backward();
    CHECK(flat(one_nan.grad()) == std::vector<double>{0, 0, 1, 0});
    const Tensor infinite =
        Tensor::from<double>({-inf, 2, inf, 3}, {1, 1, 2, 2}).set_requires_grad();
    CHECK(max_pool2d(infinite, o).item() == inf);
    CHECK(max_pool2d(Tensor::full({1, 1, 2, 2}, -inf, DType::f64), o).item() == -inf);
  }
}

TEST_CASE("nothing hostile is begun") {
  const Tensor x = values({1, 1, 4, 4}, 1), weight = values({1, 1, 3, 3}, 2);
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  CHECK(conv2d(x, weight, Tensor(), {.stride = {huge, huge}}).numel() == 1);
  CHECK(max_pool2d(x, {.stride = {huge, 1}}).shape() == Shape{1, 1, 1, 3});
  CHECK_THROWS_AS(conv2d(x, weight, Tensor(), {.padding = {huge, 0}}), ConfigError);
  CHECK_THROWS_AS(conv2d(x, weight, Tensor(), {.padding = {1 << 30, 1 << 30}}), Error);
  CHECK_THROWS_AS(max_pool2d(x, {.kernel = {huge, 2}}), ShapeError);
  CHECK_THROWS_AS(conv2d(values({1, 1, 0, 4}, 1), weight, Tensor(), {.padding = {2, 2}}),
                  ShapeError);
  CHECK_THROWS_AS(pad(x, {std::int64_t{1} << 59, 0}), Error);
}
