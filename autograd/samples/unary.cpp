#include "autograd/ops/unary.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"
#include "autograd/samples/case_helpers.h"
#include "autograd/samples/each_index.h"

namespace weft::samples::unary_samples {
namespace {

using Function = std::function<double(double)>;
using Op = std::function<Tensor(const Tensor&)>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

GradFunction calling(const Op& op) {
  return [op](const Inputs& in) { return op(in[0]); };
}

/// Smooth between low and high: any shape, a view, and the values that floats are strange at.
Sample unary_sample(const std::string& name, const Op& op, const Function& f, double low,
                    double high, double flops) {
  Sample s{name, Kind::op, {}, {}, {}, {}};
  s.cases = {
      make_case("three dimensions", {values({2, 3, 5}, 1, low, high)}, calling(op), elementwise(f)),
      make_case("longer than a vector", {values({67}, 2, low, high)}, calling(op), elementwise(f)),
      make_case("a scalar", {values({}, 3, low, high)}, calling(op), elementwise(f)),
      make_case("empty", {values({2, 0}, 4, low, high)}, calling(op), elementwise(f)),
      make_case(
          "a transposed view", {values({3, 4}, 5, low, high)},
          [op](const Inputs& in) { return op(transpose(in[0], 0, 1)); },
          [f](const Inputs& in) {
            return each_index({4, 3}, [&](const Shape& i) { return f(in[0].at({i[1], i[0]})); });
          }),
      make_constant_case(
          "NaN and infinities", {Tensor::from<double>({kNan, kInfinity, -kInfinity}, {3})},
          [op](const Inputs& in) { return op(in[0].detach()); }, elementwise(f)),
  };
  s.errors = {
      {"integers", [op] { op(Tensor::arange(3)); }, "[" + name + "] expects f32 or f64, got i64"}};
  constexpr double kElements = 512 * 2048;
  s.benchmarks = {{"(512, 2048)", f32_inputs({{512, 2048}}, low, high), calling(op),
                   flops * kElements, 8 * kElements}};
  return s;
}

/// A case at values with kinks; `side` as in GradcheckOptions::kinks, by value.
Case kinked(const char* label, const std::vector<double>& at, const Op& op, const Function& f,
            std::function<int(double)> side) {
  Case c = make_case(label, {Tensor::from<double>(at, {static_cast<std::int64_t>(at.size())})},
                     calling(op), elementwise(f));
  c.check.kinks = [side = std::move(side)](int, std::int64_t, double value) { return side(value); };
  return c;
}

Sample make_abs() {
  Sample s = unary_sample(
      "abs", abs, [](double x) { return std::abs(x); }, -2, 2, 1);
  s.cases.push_back(kinked(
      "at 0", {-1, 0, 1}, abs, [](double x) { return std::abs(x); },
      [](double x) { return x == 0 ? 2 : 0; }));
  return s;
}

Sample make_sign() {
  const Function f = [](double x) { return x > 0 ? 1 : x < 0 ? -1 : x; };
  Sample s = unary_sample("sign", sign, f, -2, 2, 1);
  s.cases.push_back(
      kinked("at 0", {-1, 0, -0.0, 1}, sign, f, [](double x) { return x == 0 ? 2 : 0; }));
  return s;
}

Sample make_relu() {
  const Function f = [](double x) { return std::isnan(x) ? x : std::max(x, 0.0); };
  Sample s = unary_sample("relu", relu, f, -2, 2, 1);
  s.cases.push_back(kinked("at 0", {-1, 0, 1, -0.0}, relu, f,
                           [](double x) { return x == 0 ? -1 : 0; }));  // the left derivative, 0
  return s;
}

Sample make_sqrt() {
  return unary_sample(
      "sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0.2, 3, 1);
}
Sample make_rsqrt() {
  return unary_sample(
      "rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.3, 3, 2);
}

Sample make_tanh() {
  Sample s = unary_sample(
      "tanh", tanh, [](double x) { return std::tanh(x); }, -3, 3, 20);
  s.cases.push_back(make_case("saturated", {values({8}, 6, -30, 30)}, calling(tanh),
                              elementwise([](double x) { return std::tanh(x); })));
  return s;
}

Sample make_sigmoid() {
  Sample s = unary_sample("sigmoid", sigmoid, sigmoid_of, -4, 4, 15);
  s.cases.push_back(make_case("saturated", {values({8}, 6, -200, 200)}, calling(sigmoid),
                              elementwise(sigmoid_of)));
  return s;
}

Sample make_erf() {
  Sample s = unary_sample(
      "erf", erf, [](double x) { return std::erf(x); }, -3, 3, 30);
  s.cases.push_back(make_case("saturated", {values({8}, 6, -30, 30)}, calling(erf),
                              elementwise([](double x) { return std::erf(x); })));
  return s;
}

Sample make_softplus() {
  const Function f = [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
  Sample s = unary_sample(
      "softplus", softplus, [f](double x) { return std::isnan(x) ? x : f(x); }, -4, 4, 30);
  s.cases.push_back(
      make_case("far out", {values({8}, 6, -300, 300)}, calling(softplus), elementwise(f)));
  return s;
}

/// x times a share that falls to 0: the limit at -infinity is 0.
double gated(double x, double share) { return share == 0 ? 0 : x * share; }

Sample make_silu() {
  const Function f = [](double x) { return gated(x, sigmoid_of(x)); };
  Sample s = unary_sample("silu", silu, f, -4, 4, 16);
  s.cases.push_back(make_case("far out", {values({8}, 6, -90, 90)}, calling(silu), elementwise(f)));
  s.cases.push_back(make_case("its definition", {values({9}, 7, -4, 4)}, calling(definition::silu),
                              elementwise(f)));
  return s;
}

Sample make_gelu() {
  const Function by_erf = [](double x) {
    return gated(x, 0.5 * std::erfc(-x / std::numbers::sqrt2));
  };
  const Function by_tanh = [](double x) {
    return gated(x, sigmoid_of(2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  };
  const Op exact = [](const Tensor&x) { return gelu(x); },
           fast = [](const Tensor&x) { return gelu(x, Gelu::tanh); };
  Sample s = unary_sample("gelu", exact, by_erf, -4, 4, 30);
  const Sample second = unary_sample("gelu", fast, by_tanh, -4, 4, 25);
  for (Case c : second.cases) {
    c.label = "tanh, " + c.label;
    s.cases.push_back(std::move(c));
  }
  s.benchmarks.push_back(second.benchmarks[0]);
  s.benchmarks.back().label = "tanh, (512, 2048)";
  s.cases.push_back(
      make_case("far out", {values({9}, 6, -50, 50)}, calling(exact), elementwise(by_erf)));
  s.cases.push_back(
      make_case("tanh, far out", {values({9}, 6, -50, 50)}, calling(fast), elementwise(by_tanh)));
  s.cases.push_back(
      make_case("its definition", {values({9}, 7, -4, 4)},
                calling([](const Tensor& x) { return definition::gelu(x, Gelu::erf); }),
                elementwise(by_erf)));
  s.cases.push_back(
      make_case("tanh, its definition", {values({9}, 7, -4, 4)},
                calling([](const Tensor& x) { return definition::gelu(x, Gelu::tanh); }),
                elementwise(by_tanh)));
  return s;
}

Sample make_clamp() {
  const Function f = [](double x) { return x < -0.75 ? -0.75 : x > 1.25 ? 1.25 : x; };
  const Op op = [](const Tensor& x) { return clamp(x, -0.75, 1.25); };
  Sample s = unary_sample("clamp", op, f, -2, 2, 2);
  // Exactly at a limit the gradient is the one of the inside.
  s.cases.push_back(kinked("at the limits", {-2, -0.75, 0, 1.25, 2}, op, f, [](double x) {
    return x == -0.75 ? 1 : x == 1.25 ? -1 : 0;
  }));
  s.cases.push_back(make_case("from below only", {values({7}, 8, -2, 2)},
                              calling([](const Tensor& x) { return clamp(x, 0); }),
                              elementwise([](double x) { return std::max(x, 0.0); })));
  s.errors.push_back({"limits", [] { clamp(values({2}, 1), 2, 1); },
                      "[clamp] expects low <= high, got low 2, high 1"});
  s.errors.push_back({"NaN", [] { clamp(values({2}, 1), kNan); },
                      "[clamp] expects low <= high, got low nan, high inf"});
  return s;
}

Sample make_cast() {
  Sample s{"cast", Kind::op, {}, {}, {}, {}};
  const auto same = elementwise([](double x) { return x; });
  s.cases = {
      make_case(
          "its own dtype", {values({3, 4}, 1)},
          [](const Inputs& in) { return cast(in[0], in[0].dtype()); }, same),
      make_constant_case(
          "to ids", {values({3, 4}, 2, -9, 9)},
          [](const Inputs& in) { return cast(in[0], DType::i64); },
          elementwise([](double x) { return std::trunc(x); })),
      make_constant_case(
          "from ids", {ids({5}, 9, 3)}, [](const Inputs& in) { return cast(in[0], DType::f64); },
          same),
      make_case(
          "empty", {values({0, 4}, 4)}, [](const Inputs& in) { return cast(in[0], in[0].dtype()); },
          same),
  };
  s.cases[2].call = [](const Inputs& in) { return cast(cast(in[0], DType::f32), DType::i64); };
  s.no_errors = "every dtype converts to every other";
  s.benchmarks = {{"f32 to f64 and back", f32_inputs({{512, 2048}}),
                   [](const Inputs& in) {
                     return cast(cast(in[0], in[0].dtype() == DType::f32 ? DType::f64 : DType::f32),
                                 in[0].dtype());
                   },
                   0, 24.0 * 512 * 2048}};
  return s;
}

Sample make_contiguous() {
  Sample s{"contiguous", Kind::op, {}, {}, {}, {}};
  const auto same = elementwise([](double x) { return x; });
  s.cases = {
      make_case(
          "as it is", {values({3, 4}, 1)}, [](const Inputs& in) { return contiguous(in[0]); },
          same),
      make_case(
          "a transposed view", {values({3, 4}, 2)},
          [](const Inputs& in) { return contiguous(transpose(in[0], 0, 1)); },
          [](const Inputs& in) {
            return each_index({4, 3}, [&](const Shape& i) { return in[0].at({i[1], i[0]}); });
          }),
      make_case(
          "a scalar", {values({}, 3)}, [](const Inputs& in) { return contiguous(in[0]); }, same),
      make_case(
          "empty", {values({3, 0}, 4)},
          [](const Inputs& in) { return contiguous(transpose(in[0], 0, 1)); }, same),
  };
  s.no_errors = "every tensor has a row-major copy";
  s.benchmarks = {{"of a transposed view", f32_inputs({{1024, 1024}}),
                   [](const Inputs& in) { return contiguous(transpose(in[0], 0, 1)); }, 0,
                   8.0 * 1024 * 1024}};
  return s;
}

const std::vector<Register> registered = {
    {"neg", Kind::op,
     [] {
       return unary_sample(
           "neg", neg, [](double x) { return -x; }, -2, 2, 1);
     }},
    {"exp", Kind::op,
     [] {
       return unary_sample(
           "exp", exp, [](double x) { return std::exp(x); }, -3, 2, 12);
     }},
    {"log", Kind::op,
     [] {
       return unary_sample(
           "log", log, [](double x) { return std::log(x); }, 0.2, 4, 20);
     }},
    {"sqrt", Kind::op, make_sqrt},
    {"rsqrt", Kind::op, make_rsqrt},
    {"abs", Kind::op, make_abs},
    {"sign", Kind::op, make_sign},
    {"sin", Kind::op,
     [] {
       return unary_sample(
           "sin", sin, [](double x) { return std::sin(x); }, -7, 7, 20);
     }},
    {"cos", Kind::op,
     [] {
       return unary_sample(
           "cos", cos, [](double x) { return std::cos(x); }, -7, 7, 20);
     }},
    {"tanh", Kind::op, make_tanh},
    {"sigmoid", Kind::op, make_sigmoid},
    {"relu", Kind::op, make_relu},
    {"square", Kind::op,
     [] {
       return unary_sample(
           "square", square, [](double x) { return x * x; }, -2, 2, 1);
     }},
    {"erf", Kind::op, make_erf},
    {"gelu", Kind::op, make_gelu},
    {"silu", Kind::op, make_silu},
    {"softplus", Kind::op, make_softplus},
    {"clamp", Kind::op, make_clamp},
    {"cast", Kind::op, make_cast},
    {"contiguous", Kind::op, make_contiguous},
};

}  // namespace
}  // namespace weft::samples::unary_samples
