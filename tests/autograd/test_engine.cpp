// What backward() and grad() do with graphs of every form.
#include <doctest/doctest.h>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "tests/autograd/leaf.h"
#include "tests/core/error_text.h"

using namespace weft;
using samples::flat;
using test::error_text;
using test::leaf;

namespace {

using Values = std::vector<double>;

}  // namespace

TEST_CASE("a diamond adds up both ways") {
  const Tensor x = leaf(3);
  const Tensor a = mul(x, 2.0), b = mul(x, x);
  const Tensor y = add(mul(a, b), a);  // 2 x^3 + 2 x
  y.backward();
  CHECK(x.grad().item() == doctest::Approx(6 * 9 + 2));
}

TEST_CASE("gradients accumulate over backward passes and over uses") {
  const Tensor x = leaf({1, 2}, {2});
  sum(mul(x, x)).backward();
  CHECK(flat(x.grad()) == Values{2, 4});
  sum(mul(x, 3.0)).backward();
  CHECK(flat(x.grad()) == Values{5, 7});
  x.zero_grad();
  CHECK(!x.grad().defined());
  sum(add(x, x)).backward();
  CHECK(flat(x.grad()) == Values{2, 2});
}

TEST_CASE("a gradient that somebody holds is not written to") {
  const Tensor x = leaf({1, 2}, {2});
  sum(x).backward();
  const Tensor held = x.grad();
  sum(x).backward();
  CHECK(flat(held) == Values{1, 1});
  CHECK(flat(x.grad()) == Values{2, 2});
}

TEST_CASE("the caller's seed is neither changed nor kept") {
  const Tensor x = leaf({1, 2}, {2});
  const Tensor seed = Tensor::from<double>({10, 20}, {2});
  const Tensor y = add(x, x);
  y.backward(seed, true);
  y.backward(seed);
  CHECK(flat(seed) == Values{10, 20});
  CHECK(flat(x.grad()) == Values{40, 80});
  CHECK(!x.grad().shares_storage(seed));
}

TEST_CASE("broadcast inputs get gradients of their own shape") {
  const Tensor a = leaf({1, 2, 3}, {3, 1}), b = leaf({10, 20}, {2}), c = leaf(5);
  sum(mul(add(a, b), c)).backward();
  CHECK(a.grad().shape() == Shape{3, 1});
  CHECK(flat(a.grad()) == Values{10, 10, 10});
  CHECK(flat(b.grad()) == Values{15, 15});
  CHECK(c.grad().item() == 2 * 6 + 3 * 30);
}

TEST_CASE("a leaf is its own gradient's place") {
  const Tensor x = leaf(2);
  x.backward();
  CHECK(x.grad().item() == 1);
  CHECK(grad({x}, {x})[0].item() == 1);
}

TEST_CASE("nothing is recorded without need") {
  const Tensor x = leaf(2), constant = Tensor::scalar(3, DType::f64);
  CHECK(!mul(constant, constant).requires_grad());
  CHECK(mul(x, constant).requires_grad());
  {
    const NoGrad guard;
    CHECK(!grad_enabled());
    CHECK(!mul(x, x).requires_grad());
  }
  CHECK(grad_enabled());
  const Tensor y = mul(x, 4.0).detach();
  CHECK(!y.requires_grad());
  CHECK(y.item() == 8);
  const Tensor z = mul(mul(x, x).detach(), x);  // the first factor is a constant
  z.backward();
  CHECK(x.grad().item() == 4);
}

TEST_CASE("detach shares the elements") {
  const Tensor x = leaf({1, 2}, {2});
  CHECK(x.detach().shares_storage(x));
  CHECK(x.requires_grad());
}

TEST_CASE("several outputs at once") {
  const Tensor x = leaf(3);
  const Tensor a = mul(x, x), b = mul(x, 5.0);
  backward({a, b}, {Tensor::scalar(2, DType::f64), Tensor()});
  CHECK(x.grad().item() == 2 * 6 + 5);
  const Tensor y = mul(x, x);
  CHECK(grad({y, y}, {x})[0].item() == 12);
}

TEST_CASE("an op with several outputs joins their gradients") {
  const Tensor x = leaf({1, 2, 3, 4, 5}, {5});
  const auto parts = split(x, {2, 1, 2}, 0);
  sum(add(mul(parts[0], parts[2]), parts[2])).backward();  // the middle is unused
  CHECK(flat(x.grad()) == Values{4, 5, 0, 2, 3});
}

TEST_CASE("grad() returns and leaves grad() alone") {
  const Tensor x = leaf(3), w = leaf(4);
  const Tensor h = mul(x, w), y = mul(h, h);
  h.retain_grad();
  const auto found = grad({y}, {x, h, w});
  CHECK(found[0].item() == 2 * 12 * 4);
  CHECK(found[1].item() == 24);
  CHECK(found[2].item() == 2 * 12 * 3);
  CHECK(!x.grad().defined());
  CHECK(!w.grad().defined());
  CHECK(!h.grad().defined());
}

TEST_CASE("grad() with respect to a tensor and to what it came from") {
  const Tensor x = leaf(3);
  const Tensor y = mul(x, x), z = mul(y, x);
  const auto found = grad({z}, {x, y}, {}, {.retain_graph = true});
  CHECK(found[0].item() == 27);  // the whole derivative, by way of y too
  CHECK(found[1].item() == 3);
  CHECK(grad({z}, {z}, {}, {.retain_graph = true})[0].item() == 1);
}

TEST_CASE("unused inputs") {
  const Tensor x = leaf(3), other = leaf(1), constant = Tensor::scalar(1, DType::f64);
  const Tensor y = mul(x, x);
  CHECK(error_text<GraphError>([&] {
          grad({y}, {x, other}, {}, {.retain_graph = true});
        }) ==
        "[grad] input 1 was not used to compute the outputs; pass allow_unused to get an undefined "
        "gradient");
  CHECK(error_text<GraphError>([&] { grad({y}, {constant}); }) ==
        "[grad] input 0 does not require a gradient");
  const auto found = grad({y}, {other, x, constant}, {}, {.allow_unused = true});
  CHECK(!found[0].defined());
  CHECK(found[1].item() == 6);
  CHECK(!found[2].defined());
  CHECK(!x.grad().defined());
}

TEST_CASE("a freed graph says so, and nothing is half done") {
  const Tensor x = leaf(3), w = leaf(2);
  const Tensor h = mul(x, x), y = mul(h, 2.0);
  y.backward();
  CHECK(error_text<GraphError>([&] { y.backward(); }) ==
        "[backward] the graph behind op `mul` was already freed by an earlier backward; pass "
        "retain_graph to that one");
  CHECK(x.grad().item() == 12);
  const Tensor z = mul(w, h);
  CHECK_THROWS_AS(z.backward(), GraphError);
  CHECK(!w.grad().defined());
  CHECK(error_text<GraphError>([&] { grad({mul(w, h)}, {x}); }).find("already freed") !=
        std::string::npos);
  CHECK(grad({mul(w, h)}, {h})[0].item() == 2);  // does not go behind h
}

TEST_CASE("retain_graph lets backward run again") {
  const Tensor x = leaf(3);
  const Tensor y = mul(mul(x, x), x);
  y.backward(Tensor(), true);
  y.backward(Tensor(), true);
  y.backward();
  CHECK(x.grad().item() == 81);
  CHECK_THROWS_AS(y.backward(), GraphError);
}

TEST_CASE("mistakes in what backward is given") {
  const Tensor x = leaf({1, 2}, {2}), constant = Tensor::scalar(1, DType::f64);
  CHECK(error_text<GraphError>([&] { mul(x, x).backward(); }) ==
        "[backward] output 0 (2,) has more than one element; pass the gradient to start from");
  CHECK(error_text<GraphError>([&] { constant.backward(); }) ==
        "[backward] output 0 does not depend on anything that requires a gradient");
  CHECK(error_text<ShapeError>([&] { mul(x, x).backward(Tensor::ones({3}, DType::f64)); }) ==
        "[backward] gradient (3,) f64 for an output (2,) f64");
  CHECK(error_text<ShapeError>([&] { mul(x, x).backward(Tensor::ones({2}, DType::f32)); }) ==
        "[backward] gradient (2,) f32 for an output (2,) f64");
  CHECK(error_text<GraphError>([&] {
          backward({sum(x)}, {Tensor(), Tensor()});
        }) == "[backward] 2 gradients for 1 outputs");
  CHECK(error_text<GraphError>([&] { backward({}); }) == "[backward] no outputs given");
  CHECK(error_text<DTypeError>([&] { Tensor::zeros({2}, DType::i64).set_requires_grad(); }) ==
        "[set_requires_grad] only f32 and f64 have gradients, not i64");
  CHECK(error_text<GraphError>([&] { mul(x, x).set_requires_grad(); }) ==
        "[set_requires_grad] the result of op `mul` is not a leaf; use detach() first");
  CHECK(error_text<ShapeError>([&] { x.set_grad(Tensor::zeros({3}, DType::f64)); }) ==
        "[set_grad] gradient (3,) f64 for a tensor (2,) f64");
  CHECK(error_text<GraphError>([&] {
          constant.register_hook([](const Tensor&) { return Tensor(); });
        }).find("[register_hook]") == 0);
  CHECK(error_text<GraphError>([&] { constant.retain_grad(); }).find("[retain_grad]") == 0);
}

TEST_CASE("mistakes in a rule are reported with the op's name") {
  const Tensor x = leaf({1, 2}, {2});
  const auto with_rule = [&](BackwardRule rule) {
    return sum(record("bad_op", raw::clone(x), {x}, std::move(rule)));
  };
  CHECK(error_text<GraphError>([&] {
          with_rule([](const Tensor& g) { return Gradients{g, g}; }).backward();
        }) == "[bad_op] the backward rule returned 2 gradients for 1 inputs");
  CHECK(error_text<GraphError>([&] {
          with_rule([](const Tensor&) {
            return Gradients{Tensor::zeros({3}, DType::f64)};
          }).backward();
        }) == "[bad_op] the backward rule gave a gradient (3,) for input 0 (2,)");
  CHECK(error_text<GraphError>([&] {
          with_rule([](const Tensor&) { return Gradients{Tensor::zeros({2})}; }).backward();
        }) == "[bad_op] the backward rule gave a f32 gradient for input 0, which is f64");
  CHECK(error_text<GraphError>([&] {
          record("identity", mul(x, x), {x}, [](const Tensor& g) { return Gradients{g}; });
        }) == "[identity] output 0 is already part of a graph; an op must return fresh tensors");
}

TEST_CASE("a rule may leave out gradients, and give them broadcast") {
  const Tensor x = leaf({1, 2}, {2}), y = leaf(1);
  sum(record("partial", Tensor::zeros({2}, DType::f64), {x, y}, [](const Tensor& g) {
    return Gradients{Tensor(), g};
  })).backward();
  CHECK(!x.grad().defined());
  CHECK(y.grad().shape() == Shape{});
  CHECK(y.grad().item() == 2);
}

TEST_CASE("empty and 0-d tensors pass through") {
  const Tensor x = leaf(std::vector<double>{}, {0, 3});
  sum(mul(x, x)).backward();
  CHECK(x.grad().shape() == Shape{0, 3});
}
