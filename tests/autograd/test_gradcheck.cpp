// The check itself: what it passes, and that it catches what is wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/sample.h"

using namespace weft;
using samples::values;

namespace {

using Inputs = std::vector<Tensor>;

Tensor wanted(Tensor t) {
  t.set_requires_grad();
  return t;
}

/// a * b + sin(a) with the given rule.
GradFunction planted(
    std::function<Gradients(const Tensor& a, const Tensor& b, const Tensor& g)> rule) {
  return [rule](const Inputs& in) {
    const Tensor a = in[0], b = in[1];
    return record("planted", add(mul(a.detach(), b.detach()), sin(a.detach())), {a, b},
                  [=](const Tensor& g) { return rule(a, b, g); });
  };
}

Inputs matrix_and_row() { return {wanted(values({2, 3}, 1)), wanted(values({3}, 2))}; }

}  // namespace

TEST_CASE("a right gradient passes, contiguous and strided") {
  const auto right = planted([](const Tensor& a, const Tensor& b, const Tensor& g) {
    return Gradients{mul(g, add(b, cos(a))), mul(g, a)};
  });
  const auto result = gradcheck(right, matrix_and_row(), {.second_order = true});
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(result.worst_error < 1e-7);
  CHECK(result.checked >= 2 * (6 + 3));
  CHECK(result.skipped == 0);
  CHECK(result.message.find("elements agree; worst: input") != std::string::npos);
}

TEST_CASE("wrong gradients are caught") {
  const auto caught =
      [](std::function<Gradients(const Tensor&, const Tensor&, const Tensor&)> rule) {
        const auto result = gradcheck(planted(std::move(rule)), matrix_and_row());
        CHECK(!result.passed);
        CHECK(result.worst_error > 1e-4);
        return result;
      };
  SUBCASE("missing term") {
    const auto result = caught([](const Tensor& a, const Tensor& b, const Tensor& g) {
      return Gradients{mul(g, b), mul(g, a)};
    });
    CHECK(result.input == 0);
    CHECK(result.index.rank() == 2);
    CHECK(result.message.starts_with("input 0 element (" + std::to_string(result.index[0]) + ", " +
                                     std::to_string(result.index[1]) + "): analytic "));
  }
  SUBCASE("wrong scale") {
    const auto result = caught([](const Tensor& a, const Tensor& b, const Tensor& g) {
      return Gradients{mul(g, add(b, cos(a))), mul(mul(g, a), 1.001)};
    });
    CHECK(result.input == 1);
  }
  SUBCASE("wrong sign") {
    caught([](const Tensor& a, const Tensor& b, const Tensor& g) {
      return Gradients{mul(g, sub(b, cos(a))), mul(g, a)};
    });
  }
  SUBCASE("wrong broadcast: summed over the wrong way") {
    caught([](const Tensor& a, const Tensor& b, const Tensor& g) {
      return Gradients{mul(g, add(b, cos(a))), mul(sum(mul(g, a)), Tensor::ones({3}, DType::f64))};
    });
  }
  SUBCASE("wrong broadcast: only the first row") {
    caught([](const Tensor& a, const Tensor& b, const Tensor& g) {
      return Gradients{mul(g, add(b, cos(a))), select(mul(g, a), 0, 0)};
    });
  }
  SUBCASE("no gradient at all") {
    caught([](const Tensor&, const Tensor&, const Tensor&) {
      return Gradients{Tensor(), Tensor()};
    });
  }
  SUBCASE("the incoming gradient is ignored") {
    caught([](const Tensor& a, const Tensor& b, const Tensor& g) {
      return Gradients{add(b, cos(a)), mul(g, a)};
    });
  }
  SUBCASE("NaN") {
    caught([](const Tensor& a, const Tensor& b, const Tensor& g) {
      return Gradients{mul(mul(g, add(b, cos(a))), std::nan("")), mul(g, a)};
    });
  }
}

TEST_CASE("a single wrong element is found and named") {
  const auto one_wrong = [](const Inputs& in) {
    const Tensor x = in[0];
    return record("one_wrong", raw::clone(x), {x}, [](const Tensor& g) {
      const Tensor bad = raw::clone(g);
      bad.as_strided({1}, {1}, 7).fill(0);
      return Gradients{bad};
    });
  };
  const auto result = gradcheck(one_wrong, {wanted(values({3, 4}, 5))});
  CHECK(!result.passed);
  CHECK(result.index == Shape{1, 3});
  CHECK(result.analytic == 0);
  CHECK(std::abs(result.numeric) >= 0.4);
}

TEST_CASE("an op that forgets to record is caught") {
  const auto forgotten = [](const Inputs& in) { return mul(in[0].detach(), 2.0); };
  CHECK(!gradcheck(forgotten, {wanted(values({3}, 1))}).passed);
}

TEST_CASE("a fault that only strided inputs show is caught") {
  const auto reads_memory = [](const Inputs& in) {
    const Tensor x = in[0];
    const Tensor copy = Tensor::empty(
        x.shape(), DType::f64);  // takes the elements as they lie, not as the strides say
    for (std::int64_t i = 0; i < x.numel(); ++i) copy.data<double>()[i] = 2 * x.data<double>()[i];
    return record("memory", copy, {x}, [](const Tensor& g) { return Gradients{mul(g, 2.0)}; });
  };
  const Inputs inputs{wanted(values({4}, 1))};
  CHECK(gradcheck(reads_memory, inputs, {.noncontiguous = false}).passed);
  const auto result = gradcheck(reads_memory, inputs);
  CHECK(!result.passed);
}

TEST_CASE("a rule that disagrees with its definition is caught") {
  const auto fused = [](double wrong) {
    return [wrong](const Inputs& in) {
      const Tensor x = in[0];
      return record_fused(
          "fused", raw::clone(mul(x, x).detach()), {x},
          [x](const Tensor& g) { return Gradients{raw::clone(mul(mul(g, x), 2.0).detach())}; },
          [x, wrong] { return mul(mul(x, x), wrong); });
    };
  };
  CHECK(gradcheck(fused(1), {wanted(values({3}, 1))}, {.second_order = true}).passed);
  CHECK(gradcheck(fused(1.01), {wanted(values({3}, 1))}).passed);
  const auto result = gradcheck(fused(1.01), {wanted(values({3}, 1))}, {.second_order = true});
  CHECK(!result.passed);
  CHECK(result.message.find("definition") != std::string::npos);
}

TEST_CASE("a wrong second derivative is caught") {
  // The rule hides its dependence on x, so that differentiating it again misses a term.
  const auto hides = [](const Inputs& in) {
    const Tensor x = in[0];
    return record("hides", mul(x.detach(), x.detach()), {x},
                  [x](const Tensor& g) { return Gradients{mul(mul(g, x.detach()), 2.0)}; });
  };
  CHECK(gradcheck(hides, {wanted(values({3}, 1))}).passed);
  const auto result = gradcheck(hides, {wanted(values({3}, 1))}, {.second_order = true});
  CHECK(!result.passed);
  CHECK(result.message.find("gradient of the gradient") != std::string::npos);
}

TEST_CASE("a function that is not deterministic is detected") {
  int calls = 0;
  const auto drifts = [&](const Inputs& in) { return mul(in[0], 1.0 + 1e-15 * ++calls); };
  const auto result = gradcheck(drifts, {wanted(values({3}, 1))});
  CHECK(!result.passed);
  CHECK(result.message.starts_with("not deterministic: the function gave "));
  const auto gradient_drifts = [&](const Inputs& in) {
    return record("drifts", raw::clone(in[0]), {in[0]},
                  [&calls](const Tensor& g) { return Gradients{mul(g, 1.0 + 1e-15 * ++calls)}; });
  };
  const auto second = gradcheck(gradient_drifts, {wanted(values({3}, 1))});
  CHECK(!second.passed);
  CHECK(second.message.starts_with("not deterministic: the gradient of input 0 gave "));
}

TEST_CASE("kinks: one side where declared, failure where not") {
  const Tensor x = wanted(Tensor::from<double>({-1, 0, 2}, {3}));
  const auto ramp = [](const Inputs& in) {
    return relu(in[0]);
  };  // its gradient at 0 is that of the left
  CHECK(!gradcheck(ramp, {x}).passed);
  const auto side = [](int at_zero) {
    return [at_zero](int, std::int64_t, double value) { return value == 0 ? at_zero : 0; };
  };
  CHECK(gradcheck(ramp, {x}, {.kinks = side(-1)}).passed);
  CHECK(!gradcheck(ramp, {x}, {.kinks = side(1)}).passed);
  const auto skipped = gradcheck(ramp, {x}, {.noncontiguous = false, .kinks = side(2)});
  CHECK(skipped.passed);
  CHECK(skipped.checked == 2);
  CHECK(skipped.skipped == 1);
  const auto curved = [](const Inputs& in) {
    return exp(mul(in[0], 3.0));
  };  // one side is as exact as two
  CHECK(gradcheck(curved, {x}, {.kinks = side(1)}).passed);
  CHECK(gradcheck(curved, {x}, {.kinks = side(-1)}).passed);
}

TEST_CASE("a check that skips everything does not pass") {
  const auto result =
      gradcheck([](const Inputs& in) { return relu(in[0]); }, {wanted(values({3}, 1))},
                {.kinks = [](int, std::int64_t, double) { return 2; }});
  CHECK(!result.passed);
  CHECK(result.message.starts_with("nothing was compared"));
}

TEST_CASE("large inputs are sampled evenly, and inputs come back as they were") {
  const Tensor x = wanted(values({50, 20}, 1)), still = values({20}, 2);
  const auto before = x.to_vector<double>();
  const auto result = gradcheck([](const Inputs& in) { return mul(in[0], in[1]); }, {x, still},
                                {.noncontiguous = false, .max_elements = 10});
  CHECK(result.passed);
  CHECK(result.checked == 10);
  CHECK(x.to_vector<double>() == before);
  CHECK(!x.grad().defined());
  CHECK_THROWS(gradcheck(
      [&](const Inputs& in) {
        return x.at({0, 0}) == before[0] ? mul(in[0], 2.0) : throw NumericError("[f] stop");
      },
      {x}));
  CHECK(x.to_vector<double>() == before);
}

TEST_CASE("tensors reached by capture are checked as well") {
  const Tensor weight = wanted(values({3}, 4)), x = values({2, 3}, 5);
  const auto result = gradcheck([&](const Inputs&) { return mul(sin(weight), x); }, {weight});
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(result.worst_error > 0);
}

TEST_CASE("integer inputs, no gradients and other dtypes") {
  const Tensor mask = Tensor::from<std::uint8_t>({1, 0, 1}, {3});
  CHECK(gradcheck([](const Inputs& in) { return masked_fill(in[0], in[1], 0.5); },
                  {wanted(values({3}, 1)), mask})
            .passed);
  const auto twice = [](const Inputs& in) { return mul(in[0], 2.0); };
  CHECK_THROWS_WITH_AS(gradcheck(twice, {values({3}, 1)}),
                       "[gradcheck] no input requires a gradient; call set_requires_grad() first",
                       GraphError);
  CHECK_THROWS_WITH_AS(gradcheck(twice, {wanted(Tensor::ones({3}))}),
                       "[gradcheck] expects f64 inputs, input 0 is f32", DTypeError);
  CHECK_THROWS_AS(
      gradcheck([](const Inputs& in) { return cast(in[0], DType::f32); }, {wanted(values({3}, 1))}),
      DTypeError);
  const NoGrad guard;  // the caller's mode does not matter
  CHECK(gradcheck(twice, {wanted(values({3}, 1))}).passed);
  CHECK(gradcheck(twice, {wanted(values({0, 2}, 1))}).passed);
}

TEST_CASE("strided copies hold the same elements") {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{2, 1, 3}, Shape{0, 2}})
    for (const int variant : {0, 1}) {
      const Tensor t = values(shape, 3);
      const Tensor copy = strided_copy(t, variant);
      CHECK(copy.to_vector<double>() == t.to_vector<double>());
      if (t.numel() > 1) CHECK(!copy.is_contiguous());
    }
}

TEST_CASE("sample values are distinct and off the kinks") {
  auto list = values({40, 25}, 9, -2, 2).to_vector<double>();
  for (const double value : list) {
    CHECK(value >= -2);
    CHECK(value < 2);
    CHECK(std::abs(value - std::round(value * 2) / 2) >= 1e-3);
  }
  std::sort(list.begin(), list.end());
  for (std::size_t i = 1; i < list.size(); ++i) CHECK(list[i] > list[i - 1]);
  CHECK(values({3}, 1).to_vector<double>() != values({3}, 2).to_vector<double>());
  CHECK(values({3}, 1).to_vector<double>() == values({3}, 1).to_vector<double>());
}
