#include "autograd/ops/binary.h"

#include <cmath>
#include <limits>

#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"
#include "autograd/samples/case_helpers.h"
#include "autograd/samples/each_index.h"

namespace weft::samples::binary_samples {
namespace {

using Op = Tensor (*)(const Tensor&, const Tensor&);
using Function = double (*)(double, double);

struct Range {
  double low = -1, high = 1;
};

/// The ways two shapes meet, for any of these ops.
std::vector<Case> broadcast_cases(Op op, Function f, Range a, Range b) {
  struct Shapes {
    const char* label;
    Shape a, b;
  };
  const Shapes table[] = {
      {"one shape", {2, 3, 5}, {2, 3, 5}},
      {"rows", {4, 3, 5}, {3, 5}},
      {"a row on the left", {5}, {3, 5}},
      {"columns", {4, 3}, {4, 1}},
      {"outer", {4, 1}, {1, 3}},
      {"middle dimension", {2, 3, 4}, {2, 1, 4}},
      {"a scalar on the right", {3, 4}, {}},
      {"a scalar on the left", {}, {7}},
      {"scalars", {}, {}},
      {"longer than a vector", {2, 37}, {37}},
      {"empty", {0, 3}, {3}},
      {"empty by broadcast", {1, 3}, {0, 1}},
  };
  std::vector<Case> cases;
  std::uint64_t salt = 0;
  for (const Shapes& one : table) {
    salt += 2;
    cases.push_back(make_case(
        one.label, {values(one.a, salt, a.low, a.high), values(one.b, salt + 1, b.low, b.high)},
        [op](const Inputs& in) { return op(in[0], in[1]); }, elementwise2(f)));
  }
  cases.push_back(make_case(
      "a transposed operand",
      {values({3, 4}, 31, a.low, a.high), values({4, 3}, 32, b.low, b.high)},
      [op](const Inputs& in) { return op(in[0], transpose(in[1], 0, 1)); },
      [f](const Inputs& in) {
        return each_index({3, 4}, [&](const Shape& i) {
          return f(in[0].at(i), in[1].at({i[1], i[0]}));
        });
      }));
  return cases;
}

std::vector<ErrorCase> operand_errors(const std::string& name, Op op) {
  return {
      {"shapes",
       [op] {
         op(values({2, 3}, 1), values({2, 4}, 2));
       },
       "[" + name +
           "] shapes do not broadcast: a (2, 3), b (2, 4); each pair of sizes, from the last, must "
           "be equal or hold a 1"},
      {"two dtypes", [op] { op(values({2}, 1), Tensor::ones({2})); },
       "[" + name + "] operands differ in dtype: a f64, b f32; cast() one of them"},
      {"integers", [op] { op(Tensor::arange(3), Tensor::arange(3)); },
       "[" + name + "] expects f32 or f64, got i64"},
  };
}

/// (512, 2048) with its like, and with a row.
std::vector<Benchmark> operand_benchmarks(Op op, Range a, Range b) {
  const auto make = [=](const Shape& second) {
    return [=] {
      return Inputs{raw::cast(values({512, 2048}, 1, a.low, a.high), DType::f32),
                    raw::cast(values(second, 2, b.low, b.high), DType::f32)};
    };
  };
  const GradFunction call = [op](const Inputs& in) { return op(in[0], in[1]); };
  constexpr double kElements = 512 * 2048;
  return {{"one shape", make({512, 2048}), call, kElements, 12 * kElements},
          {"rows", make({2048}), call, kElements, 8 * kElements}};
}

Sample arithmetic(const std::string& name, Op op, Function f, Range a = {}, Range b = {}) {
  return {name,
          Kind::op,
          broadcast_cases(op, f, a, b),
          operand_errors(name, op),
          operand_benchmarks(op, a, b),
          {}};
}

Case constant_case(const char* label, const Tensor& x, const GradFunction& call,
                   std::function<double(double)> f) {
  return make_case(label, {x}, call, elementwise(std::move(f)));
}

Sample make_add() {
  Sample s = arithmetic("add", add, [](double x, double y) { return x + y; });
  s.cases.push_back(constant_case(
      "a constant", values({3, 4}, 41), [](const Inputs& in) { return add(in[0], 2.5); },
      [](double x) { return x + 2.5; }));
  s.cases.push_back(constant_case(
      "operators", values({3, 4}, 42),
      [](const Inputs& in) { return 1.0 - (in[0] + 2.5) + (in[0] - 0.5) + (-in[0]); },
      [](double x) { return -2.0 - x; }));
  s.cases.push_back(constant_case(
      "with itself", values({3, 4}, 43), [](const Inputs& in) { return in[0] + in[0]; },
      [](double x) { return 2 * x; }));
  return s;
}

Sample make_sub() {
  return arithmetic("sub", sub, [](double x, double y) { return x - y; });
}

Sample make_mul() {
  Sample s = arithmetic("mul", mul, [](double x, double y) { return x * y; });
  s.cases.push_back(constant_case(
      "a constant", values({3, 4}, 41), [](const Inputs& in) { return mul(in[0], -2.5); },
      [](double x) { return x * -2.5; }));
  s.cases.push_back(constant_case(
      "operators", values({3, 4}, 42), [](const Inputs& in) { return 2.0 * in[0] * in[0] / 4.0; },
      [](double x) { return x * x / 2; }));
  return s;
}

Sample make_div() {
  Sample s = arithmetic("div", div, [](double x, double y) { return x / y; }, {}, {0.5, 2});
  for (const double b : {49.0, -3.0, 1e-3})
    s.cases.push_back(constant_case(
        fmt::format("the constant {}", b).c_str(), values({2, 5}, 43),
        [b](const Inputs& in) { return in[0] / b; }, [b](double x) { return x / b; }));
  return s;
}

Sample make_all_equal() {
  Sample s{"all_equal", Kind::op, {}, {}, {}, {}};
  const auto answer = [](const Inputs& in) {
    return Tensor::scalar(all_equal(in[0], in[1]) ? 1 : 0, DType::u8);
  };
  const auto says = [](double expected) {
    return [=](const Inputs&) { return std::vector<double>{expected}; };
  };
  const Tensor x = values({2, 37}, 1), other = raw::clone(x);
  other.data<double>()[73] += 1;
  s.cases = {
      make_constant_case("the same", {x, raw::clone(x)}, answer, says(1)),
      make_constant_case("the last differs", {x, other}, answer, says(0)),
      make_constant_case("another shape", {x, values({37, 2}, 1)}, answer, says(0)),
      make_constant_case("a broadcast", {x, values({37}, 1)}, answer, says(0)),
      make_constant_case("empty", {values({0, 3}, 1), values({0, 3}, 1)}, answer, says(1)),
      make_constant_case("NaN",
                         {Tensor::from<double>({std::numeric_limits<double>::quiet_NaN()}, {1}),
                          Tensor::from<double>({std::numeric_limits<double>::quiet_NaN()}, {1})},
                         answer, says(0))};
  s.errors = {{"dtypes", [] { all_equal(Tensor::zeros({2}), Tensor::zeros({2}, DType::i64)); },
               "[all_equal] operands differ in dtype: a f32, b i64; cast() one of them"}};
  s.benchmarks = {
      {"1024 x 1024", f32_inputs({{1024, 1024}, {1024, 1024}}), answer, 0, 8.0 * 1024 * 1024}};
  return s;
}

Sample make_pow() {
  Sample s =
      arithmetic("pow", pow, [](double x, double y) { return std::pow(x, y); }, {0.4, 2}, {-2, 2});
  for (const double b : {2.0, 3.0, -1.0, 0.5, 1.0, 0.0, -1.5})
    s.cases.push_back(constant_case(
        fmt::format("the constant {}", b).c_str(), values({2, 5}, 43, 0.4, 2),
        [b](const Inputs& in) { return pow(in[0], b); }, [b](double x) { return std::pow(x, b); }));
  s.cases.push_back(constant_case(
      "a negative base, whole exponents", values({6}, 44, -2, -0.4),
      [](const Inputs& in) { return pow(in[0], 3.0); }, [](double x) { return x * x * x; }));
  // 0^2 and 0^1 are smooth in the base; d 0^b / db is 0 for b > 0; x^0 is 1.
  Case zeros = make_case(
      "at 0", {Tensor::from<double>({0, 0, 1.5}, {3}), Tensor::from<double>({2, 1, 0}, {3})},
      [](const Inputs& in) { return pow(in[0], in[1]); },
      elementwise2([](double x, double y) { return std::pow(x, y); }));
  zeros.no_second_order = "at 0^1 the second derivative does not exist";
  s.cases.push_back(zeros);
  return s;
}

/// Where both operands are equal, maximum and minimum have a kink.
Sample extreme(const std::string& name, Op op, Function f) {
  Sample s = arithmetic(name, op, f);
  s.cases.push_back(constant_case(
      "a tie with itself", values({3, 4}, 45), [op](const Inputs& in) { return op(in[0], in[0]); },
      [](double x) { return x; }));
  Case ties = make_case(
      "one tie", {Tensor::from<double>({1, 2, 3}, {3}), Tensor::from<double>({1, 3, 2}, {3})},
      [op](const Inputs& in) { return op(in[0], in[1]); }, elementwise2(f));
  ties.check.kinks = [](int, std::int64_t element, double) { return element == 0 ? 2 : 0; };
  s.cases.push_back(ties);
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  s.cases.push_back(make_constant_case(
      "NaN and infinity",
      {Tensor::from<double>({nan, 1, infinity, -infinity, nan}, {5}),
       Tensor::from<double>({1, nan, 1, 1, nan}, {5})},
      [op](const Inputs& in) { return op(in[0].detach(), in[1].detach()); },
      elementwise2([f](double x, double y) {
        return std::isnan(x) || std::isnan(y) ? std::numeric_limits<double>::quiet_NaN() : f(x, y);
      })));
  return s;
}

Sample make_maximum() {
  return extreme("maximum", maximum, [](double x, double y) { return x > y ? x : y; });
}
Sample make_minimum() {
  return extreme("minimum", minimum, [](double x, double y) { return x < y ? x : y; });
}

Tensor mask_of(const Shape& shape, std::uint64_t salt) {
  return raw::cast(ids(shape, 2, salt), DType::u8);
}

Sample make_where() {
  Sample s{"where", Kind::op, {}, {}, {}, {}};
  const GradFunction call = [](const Inputs& in) { return where(in[0], in[1], in[2]); };
  const auto choose = [](const Shape& shape, auto a_index, auto b_index, auto mask_index) {
    return [=](const Inputs& in) {
      return each_index(shape, [&](const Shape& i) {
        return in[0].at(mask_index(i)) != 0 ? in[1].at(a_index(i)) : in[2].at(b_index(i));
      });
    };
  };
  const auto same = [](const Shape& i) { return i; };
  const auto row = [](const Shape& i) { return Shape{i[1]}; };
  const auto column = [](const Shape& i) { return Shape{i[0], 0}; };
  const auto scalar = [](const Shape&) { return Shape{}; };
  s.cases = {
      make_case("one shape", {mask_of({3, 4}, 1), values({3, 4}, 2), values({3, 4}, 3)}, call,
                choose({3, 4}, same, same, same)),
      make_case("all broadcast", {mask_of({4}, 4), values({3, 1}, 5), values({}, 6)}, call,
                choose({3, 4}, column, scalar, row)),
      make_case("a row and a column", {mask_of({3, 4}, 7), values({4}, 8), values({3, 1}, 9)}, call,
                choose({3, 4}, row, column, same)),
      make_case("scalars", {mask_of({}, 10), values({}, 11), values({}, 12)}, call,
                choose({}, same, same, same)),
      make_case("empty", {mask_of({0, 2}, 13), values({2}, 14), values({0, 2}, 15)}, call,
                [](const Inputs&) { return std::vector<double>(); }),
  };
  s.errors = {
      {"condition", [] { where(values({2}, 1), values({2}, 2), values({2}, 3)); },
       "[where] expects a u8 mask, got f64; compare with equal, greater or less"},
      {"dtypes", [] { where(mask_of({2}, 1), values({2}, 2), Tensor::ones({2})); },
       "[where] operands differ in dtype: a f64, b f32; cast() one of them"},
      {"integers", [] { where(mask_of({2}, 1), Tensor::arange(2), Tensor::arange(2)); },
       "[where] expects f32 or f64, got i64"},
      {"shapes", [] { where(mask_of({2}, 1), values({3}, 2), values({3}, 3)); },
       "[where] shapes do not broadcast: a (2,), b (3,); each pair of sizes, from the last, must "
       "be equal or hold a 1"},
  };
  s.benchmarks = {{"one shape",
                   [] {
                     Inputs in = f32_inputs({{512, 2048}, {512, 2048}})();
                     in.insert(in.begin(), mask_of({512, 2048}, 1));
                     return in;
                   },
                   call, 0, 13.0 * 512 * 2048}};
  return s;
}

Sample make_masked_fill() {
  Sample s{"masked_fill", Kind::op, {}, {}, {}, {}};
  const auto fill = [](const Shape& shape, double value, auto mask_index) {
    return [=](const Inputs& in) {
      return each_index(shape, [&](const Shape& i) {
        return in[1].at(mask_index(i)) != 0 ? value : in[0].at(i);
      });
    };
  };
  const double lowest = -std::numeric_limits<double>::infinity();
  s.cases = {
      make_case(
          "one shape", {values({3, 4}, 1), mask_of({3, 4}, 2)},
          [](const Inputs& in) { return masked_fill(in[0], in[1], 2.5); },
          fill({3, 4}, 2.5, [](const Shape& i) { return i; })),
      make_case(
          "a row as mask", {values({3, 4}, 3), mask_of({4}, 4)},
          [](const Inputs& in) { return masked_fill(in[0], in[1], 0); },
          fill({3, 4}, 0, [](const Shape& i) { return Shape{i[1]}; })),
      make_constant_case(
          "with -infinity", {values({3, 4}, 5), mask_of({3, 1}, 6)},
          [=](const Inputs& in) { return masked_fill(in[0].detach(), in[1], lowest); },
          fill({3, 4}, lowest,
               [](const Shape& i) {
                 return Shape{i[0], 0};
               })),
      make_case(
          "a scalar", {values({}, 7), mask_of({}, 8)},
          [](const Inputs& in) { return masked_fill(in[0], in[1], 1); },
          fill({}, 1, [](const Shape& i) { return i; })),
      make_case(
          "empty", {values({2, 0}, 9), mask_of({2, 1}, 10)},
          [](const Inputs& in) { return masked_fill(in[0], in[1], 1); },
          [](const Inputs&) { return std::vector<double>(); }),
  };
  s.errors = {
      {"mask shape",
       [] {
         masked_fill(values({3}, 1), mask_of({2, 3}, 2), 0);
       },
       "[masked_fill] the mask must broadcast to x: x (3,), mask (2, 3)"},
      {"mask dtype", [] { masked_fill(values({3}, 1), values({3}, 2), 0); },
       "[masked_fill] expects a u8 mask, got f64; compare with equal, greater or less"},
      {"integers", [] { masked_fill(Tensor::arange(3), mask_of({3}, 2), 0); },
       "[masked_fill] expects f32 or f64, got i64"},
  };
  s.benchmarks = {{"one shape",
                   [] {
                     return Inputs{f32_inputs({{512, 2048}})()[0], mask_of({512, 2048}, 1)};
                   },
                   [](const Inputs& in) { return masked_fill(in[0], in[1], -1); }, 0,
                   9.0 * 512 * 2048}};
  return s;
}

Sample comparison(const std::string& name, Op op, Function f) {
  Sample s{name, Kind::op, {}, {}, {}, {}};
  const GradFunction call = [op](const Inputs& in) { return op(in[0], in[1]); };
  const Tensor few = raw::cast(ids({3, 5}, 3, 1), DType::f64);  // with ties
  s.cases = {
      make_constant_case("ties", {few, raw::cast(ids({5}, 3, 2), DType::f64)}, call,
                         elementwise2(f)),
      make_constant_case("columns", {values({3, 4}, 3), values({3, 1}, 4)}, call, elementwise2(f)),
      make_constant_case("i64", {ids({3, 4}, 3, 5), ids({4}, 3, 6)}, call, elementwise2(f)),
      make_constant_case("u8", {mask_of({3, 4}, 7), mask_of({3, 4}, 8)}, call, elementwise2(f)),
      make_constant_case("scalars", {values({}, 9), values({}, 10)}, call, elementwise2(f)),
      make_constant_case("empty", {values({0}, 11), values({}, 12)}, call, elementwise2(f)),
  };
  s.errors = {operand_errors(name, op)[0], operand_errors(name, op)[1]};
  s.benchmarks = {{"one shape", f32_inputs({{512, 2048}, {512, 2048}}), call, 0, 9.0 * 512 * 2048}};
  return s;
}

const std::vector<Register> registered = {
    {"add", Kind::op, make_add},
    {"sub", Kind::op, make_sub},
    {"mul", Kind::op, make_mul},
    {"div", Kind::op, make_div},
    {"pow", Kind::op, make_pow},
    {"maximum", Kind::op, make_maximum},
    {"minimum", Kind::op, make_minimum},
    {"where", Kind::op, make_where},
    {"masked_fill", Kind::op, make_masked_fill},
    {"equal", Kind::op,
     [] {
       return comparison("equal", equal, [](double x, double y) -> double { return x == y; });
     }},
    {"all_equal", Kind::op, make_all_equal},
    {"greater", Kind::op,
     [] {
       return comparison("greater", greater, [](double x, double y) -> double { return x > y; });
     }},
    {"less", Kind::op,
     [] { return comparison("less", less, [](double x, double y) -> double { return x < y; }); }},
};

}  // namespace
}  // namespace weft::samples::binary_samples
