// Hooks, retained gradients and anomaly mode.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "tests/autograd/leaf.h"
#include "tests/core/error_text.h"

using namespace weft;
using test::error_text;
using test::leaf;

TEST_CASE("a hook on a leaf sees the whole gradient once and may replace it") {
  const Tensor x = leaf(3);
  int calls = 0;
  double seen = 0;
  x.register_hook([&](const Tensor& g) {
    ++calls;
    seen = g.item();
    return mul(g, 10.0);
  });
  add(mul(x, 2.0), mul(x, 5.0)).backward();
  CHECK(calls == 1);
  CHECK(seen == 7);
  CHECK(x.grad().item() == 70);
}

TEST_CASE("a hook on an inner tensor changes what flows on") {
  const Tensor x = leaf(3);
  const Tensor h = mul(x, x);
  double seen = 0;
  h.register_hook([&](const Tensor& g) {
    seen = g.item();
    return mul(g, -1.0);
  });
  add(mul(h, 2.0), h).backward();
  CHECK(seen == 3);
  CHECK(x.grad().item() == -18);
}

TEST_CASE("hooks run in order; one that returns nothing only looks") {
  const Tensor x = leaf(1);
  std::vector<double> seen;
  x.register_hook([&](const Tensor& g) { return seen.push_back(g.item()), Tensor(); });
  x.register_hook([&](const Tensor& g) { return seen.push_back(g.item()), add(g, 1.0); });
  x.register_hook([&](const Tensor& g) { return seen.push_back(g.item()), Tensor(); });
  mul(x, 4.0).backward();
  CHECK(seen == std::vector<double>{4, 4, 5});
  CHECK(x.grad().item() == 5);
}

TEST_CASE("hooks apply to what grad() returns") {
  const Tensor x = leaf(2);
  const Tensor h = mul(x, x);
  int calls = 0;
  h.register_hook([&](const Tensor& g) { return ++calls, mul(g, 3.0); });
  const auto found = grad({mul(h, 1.0)}, {h, x});
  CHECK(found[0].item() == 3);
  CHECK(found[1].item() == 12);
  CHECK(calls == 1);
}

TEST_CASE("a hook may not change the shape") {
  const Tensor x = leaf(2);
  x.register_hook([](const Tensor&) { return Tensor::zeros({2}, DType::f64); });
  CHECK(error_text<Error>([&] { mul(x, x).backward(); }) ==
        "[hook] a hook turned a gradient () f64 into (2,) f64; it must keep shape and dtype");
}

TEST_CASE("a hook may register another") {
  const Tensor x = leaf(2);
  int later = 0;
  x.register_hook([&](const Tensor&) {
    for (int i = 0; i < 50; ++i) x.register_hook([&](const Tensor&) { return ++later, Tensor(); });
    return Tensor();
  });
  mul(x, x).backward();
  CHECK(later == 50);
}

TEST_CASE("retain_grad keeps an inner gradient") {
  const Tensor x = leaf(3);
  const Tensor h = mul(x, x), plain = mul(x, 2.0);
  h.retain_grad();
  const Tensor y = add(mul(h, h), plain);
  y.backward(Tensor(), true);
  CHECK(h.grad().item() == 18);
  CHECK(!plain.grad().defined());
  y.backward();
  CHECK(h.grad().item() == 36);
}

TEST_CASE("a hook fires once under a fused op's definition") {
  const Tensor x = leaf(0.3);
  const Tensor h = mul(x, 2.0);
  int inner = 0, outer = 0;
  h.register_hook([&](const Tensor& g) { return ++inner, mul(g, 2.0); });
  x.register_hook([&](const Tensor&) { return ++outer, Tensor(); });
  const Tensor doubled = record_fused(
      "fused", raw::clone(mul(h, h).detach()), {h},
      [h](const Tensor& g) { return Gradients{mul(mul(g, h), 2.0)}; }, [h] { return mul(h, h); });
  const Tensor g = grad({doubled}, {x}, {}, {.create_graph = true})[0];
  CHECK(inner == 1);
  CHECK(outer == 1);
  CHECK(g.item() == doctest::Approx(2 * 0.6 * 2 * 2));
}

TEST_CASE("anomaly mode names the op that made a NaN going forward") {
  const Tensor x = leaf(-1);
  CHECK(std::isnan(log(x).item()));
  const AnomalyMode anomaly;
  CHECK(error_text<Error>([&] { log(x); }) ==
        "[log] the forward pass produced a NaN or an infinity: element 0 (row-major) of an output "
        "()");
  CHECK(error_text<Error>([&] { log(x.detach()); }).find("[log] the forward pass produced a NaN") ==
        0);  // recorded or not
  const AnomalyMode off(false);
  CHECK(std::isnan(log(x).item()));
}

TEST_CASE("anomaly mode names the op that made a NaN going back") {
  const Tensor x = Tensor::from<double>({4, 0}, {2});
  x.set_requires_grad();
  const AnomalyMode anomaly;
  CHECK(error_text<Error>([&] { sum(sqrt(x)).backward(); }) ==
        "[sqrt] the backward pass produced a NaN or an infinity: element 1 (row-major) of the "
        "gradient of input 0 (2,)");
  CHECK(error_text<Error>([&] {
          grad({sum(sqrt(x))}, {x}, {}, {.create_graph = true});
        }).find("backward pass produced") != std::string::npos);
  CHECK(!x.grad().defined());
}
