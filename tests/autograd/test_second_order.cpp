// Gradients of gradients: of primitive ops, of fused ops by their definitions, and the jacobian.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "core/storage.h"
#include "tests/autograd/leaf.h"

using namespace weft;
using test::leaf;

namespace {

const GradOptions kCreate{.create_graph = true};

/// sin(a) * b as a fused op: the rule computes with plain numbers, so only the definition can be
/// differentiated.
Tensor fused_sin_mul(const Tensor& a, const Tensor& b) {
  const double value = std::sin(a.item()) * b.item();
  return record_fused(
      "sin_mul", Tensor::scalar(value, DType::f64), {a, b},
      [a, b](const Tensor& g) {
        return Gradients{Tensor::scalar(g.item() * std::cos(a.item()) * b.item(), DType::f64),
                         Tensor::scalar(g.item() * std::sin(a.item()), DType::f64)};
      },
      [a, b] { return mul(sin(a), b); });
}

}  // namespace

TEST_CASE("derivatives of x^3 down to zero") {
  const Tensor x = leaf(2);
  const Tensor y = mul(mul(x, x), x);
  const Tensor d1 = grad({y}, {x}, {}, kCreate)[0];
  const Tensor d2 = grad({d1}, {x}, {}, kCreate)[0];
  const Tensor d3 = grad({d2}, {x}, {}, kCreate)[0];
  CHECK(d1.item() == 12);
  CHECK(d2.item() == 12);
  CHECK(d3.item() == 6);
  CHECK((!d3.requires_grad() || grad({d3}, {x}, {}, {.allow_unused = true})[0].defined() == false));
  const Tensor p = pow(x, 3.0);
  const Tensor p1 = grad({p}, {x}, {}, kCreate)[0], p2 = grad({p1}, {x}, {}, kCreate)[0];
  CHECK(p2.item() == doctest::Approx(12));
  CHECK(grad({p2}, {x})[0].item() == doctest::Approx(6));
}

TEST_CASE("an op whose rule uses its own output") {
  const Tensor x = leaf(0.7);
  const Tensor y = exp(x);
  const Tensor d1 = grad({y}, {x}, {}, kCreate)[0], d2 = grad({d1}, {x}, {}, kCreate)[0];
  CHECK(d1.item() == doctest::Approx(std::exp(0.7)));
  CHECK(d2.item() == doctest::Approx(std::exp(0.7)));
  // d1 is y * 1, and it knows that y is the y the caller holds.
  CHECK(grad({d1}, {y}, {}, {.retain_graph = true})[0].item() == doctest::Approx(1));
  const Tensor t = tanh(x);
  const Tensor t1 = grad({t}, {x}, {}, kCreate)[0];
  const double v = std::tanh(0.7);
  CHECK(grad({t1}, {x})[0].item() == doctest::Approx(-2 * v * (1 - v * v)));
}

TEST_CASE("backward with create_graph accumulates gradients that can be differentiated") {
  const Tensor x = leaf(3);
  mul(mul(x, x), x).backward(Tensor(), false, true);
  const Tensor g = x.grad();
  CHECK(g.item() == 27);
  CHECK(grad({g}, {x})[0].item() == 18);
  x.zero_grad();  // a gradient with a graph refers to x, which holds it
}

TEST_CASE("fused ops are differentiated twice by their definition") {
  const Tensor a = leaf(0.4), b = leaf(1.5);
  const Tensor y = fused_sin_mul(a, b);
  const auto first = grad({y}, {a, b}, {}, kCreate);
  CHECK(first[0].item() == doctest::Approx(std::cos(0.4) * 1.5));
  CHECK(grad({first[0]}, {a}, {}, {.retain_graph = true})[0].item() ==
        doctest::Approx(-std::sin(0.4) * 1.5));
  CHECK(grad({first[0]}, {b}, {}, {.retain_graph = true})[0].item() ==
        doctest::Approx(std::cos(0.4)));
  const Tensor second = grad({first[0]}, {a}, {}, kCreate)[0];
  CHECK(grad({second}, {a})[0].item() == doctest::Approx(-std::cos(0.4) * 1.5));
}

TEST_CASE("a definition's inputs are independent of each other, and one given twice counts twice") {
  const Tensor a = leaf(0.4);
  const Tensor b = mul(a, 2.0);
  const auto expect = [&](const Tensor& y, double value) {
    CHECK(grad({y}, {a}, {}, {.retain_graph = true})[0].item() == doctest::Approx(value));
    CHECK(grad({y}, {a}, {}, kCreate)[0].item() == doctest::Approx(value));
  };
  expect(fused_sin_mul(a, b), std::cos(0.4) * 0.8 + 2 * std::sin(0.4));
  expect(fused_sin_mul(a, a), std::cos(0.4) * 0.4 + std::sin(0.4));
}

TEST_CASE("a fused op without a definition says that it has no second derivative") {
  const Tensor x = leaf(2);
  const Tensor y = record_fused(
      "once", Tensor::scalar(4, DType::f64), {x}, [](const Tensor& g) { return Gradients{g}; },
      nullptr);
  CHECK_THROWS_WITH_AS(
      grad({y}, {x}, {}, kCreate),
      "[once] has no definition in primitive ops here, so its gradient has no gradient (in bf16 an "
      "op keeps rounded operands; use f32)",
      GraphError);
}

TEST_CASE("gradcheck of the gradient: compositions") {
  const Tensor x = leaf({0.3, -0.7, 1.2, 0.9}, {2, 2}), y = leaf({0.5, -1.1}, {2});
  const auto f = [](const std::vector<Tensor>& in) {
    return mul(exp(mul(in[0], in[1])), sin(add(in[0], in[1])));
  };
  const auto result = gradcheck(f, {x, y}, {.second_order = true});
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(result.checked > 2 * (4 + 2));
}

TEST_CASE("jacobian against closed forms") {
  const Tensor x = Tensor::from<double>({0.5, -1.0, 2.0}, {3});
  const auto square_each = [](const Tensor& t) { return mul(t, t); };
  const Tensor diagonal = jacobian(square_each, x);
  CHECK(diagonal.shape() == Shape{3, 3});
  CHECK(diagonal.to_vector<double>() == std::vector<double>{1, 0, 0, 0, -2, 0, 0, 0, 4});
  CHECK(!x.requires_grad());

  const Tensor m = Tensor::from<double>({1, 2, 3, 4}, {2, 2});
  const Tensor of_sum = jacobian([](const Tensor& t) { return sum(t, {0}); }, m);
  CHECK(of_sum.shape() == Shape{2, 2, 2});
  CHECK(of_sum.to_vector<double>() == std::vector<double>{1, 0, 1, 0, 0, 1, 0, 1});

  CHECK(jacobian([](const Tensor&) { return Tensor::zeros({2}, DType::f64); }, x)
            .to_vector<double>() == std::vector<double>(6, 0.0));
  CHECK(jacobian([](const Tensor& t) { return sum(t); }, x).shape() == Shape{3});
  CHECK(jacobian([](const Tensor& t) { return slice(t, 0, 0, 0); }, x).shape() == Shape{0, 3});
  const NoGrad guard;
  CHECK(jacobian(square_each, x).at({1, 1}) == -2);
}

TEST_CASE("jacobian of a gradient is the Hessian") {
  const Tensor x = leaf({0.5, -1.0}, {2});
  const auto f = [](const Tensor& t) {
    return sum(mul(mul(t, t), flip(t, {0})));
  };  // x0^2 x1 + x1^2 x0
  const Tensor hessian =
      jacobian([&](const Tensor& t) { return grad({f(t)}, {t}, {}, kCreate)[0]; }, x);
  const std::vector<double> expected{2 * -1.0, 2 * 0.5 + 2 * -1.0, 2 * 0.5 + 2 * -1.0, 2 * 0.5};
  const std::vector<double> found = hessian.to_vector<double>();
  for (std::size_t i = 0; i < 4; ++i) CHECK(found[i] == doctest::Approx(expected[i]));
  const Tensor again = jacobian([](const Tensor& t) { return mul(t, t); }, x, true);
  CHECK(grad({sum(again)}, {x})[0].to_vector<double>() == std::vector<double>{2, 2});
}
