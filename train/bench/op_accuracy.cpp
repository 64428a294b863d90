#include "train/bench/op_accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "core/random.h"

namespace weft::bench {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

struct OneOperand {
  const char* name;
  std::function<Tensor(const Tensor&)> op;
  std::function<double(double)> exact;
  double bound;
  double floor = 0;
};

struct TwoOperands {
  const char* name;
  std::function<Tensor(const Tensor&, const Tensor&)> op;
  std::function<double(double, double)> exact;
  double bound;
};

double exact_sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
/// x times a share of it that goes to 0: the limit is 0, also for an infinite x.
double share_of(double x, double share) { return share == 0 ? std::copysign(0.0, x) : x * share; }

/// Correctly rounded results are off by half a unit at most; a hair more is what the f64 reference
/// itself is rounded by.
constexpr double kRounded = 0.5001;

/// The bounds of the vector functions are those that core/kernels/vector_math-inl.h documents, with
/// the rounding of the result.
const std::vector<OneOperand>& one_operand_ops() {
  static const std::vector<OneOperand> list = {
      {"neg", neg, [](double x) { return -x; }, 0},
      {"abs", abs, [](double x) { return std::abs(x); }, 0},
      {"sign", sign, [](double x) { return x > 0   ? 1.0
                                           : x < 0 ? -1.0
                                                   : x; }, 0},
      {"relu", relu, [](double x) { return x > 0 || std::isnan(x) ? x : 0.0; }, 0},
      {"clamp", [](const Tensor& x) { return clamp(x, -1.5, 2.5); },
       [](double x) { return x < -1.5  ? -1.5
                             : x > 2.5 ? 2.5
                                       : x; }, 0},
      {"cast", [](const Tensor& x) { return cast(cast(x, DType::f64), DType::f32); },
       [](double x) { return x; }, 0},
      {"square", square, [](double x) { return x * x; }, kRounded},
      {"sqrt", sqrt, [](double x) { return std::sqrt(x); }, kRounded},
      {"rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1.6},
      {"exp", exp, [](double x) { return std::exp(x); }, 1.5},
      {"log", log, [](double x) { return std::log(x); }, 1.5},
      {"sin", sin, [](double x) { return std::sin(x); }, 3},
      {"cos", cos, [](double x) { return std::cos(x); }, 3},
      {"tanh", tanh, [](double x) { return std::tanh(x); }, 3.5},
      {"sigmoid", sigmoid, exact_sigmoid, 3},
      {"erf", erf, [](double x) { return std::erf(x); }, 3},
      {"softplus", softplus,
       [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, 2.5},
      {"silu", silu, [](double x) { return share_of(x, exact_sigmoid(x)); }, 4, 0x1p-118},
      {"gelu", [](const Tensor& x) { return gelu(x, Gelu::erf); },
       [](double x) { return share_of(x, 0.5 * std::erfc(-x / std::numbers::sqrt2)); }, 8.5,
       0x1p-10},
      {"gelu, tanh", [](const Tensor& x) { return gelu(x, Gelu::tanh); },
       [](double x) {
         return share_of(x, exact_sigmoid(2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x)));
       },
       16, 0x1p-10},
      {"pow, of 3", [](const Tensor& x) { return pow(x, 3.0); },
       [](double x) { return std::pow(x, 3.0); }, 1.5},
      {"pow, of -0.5", [](const Tensor& x) { return pow(x, -0.5); },
       [](double x) { return std::pow(x, -0.5); }, 1},
  };
  return list;
}

const std::vector<TwoOperands>& two_operand_ops() {
  static const std::vector<TwoOperands> list = {
      {"add", [](const Tensor& a, const Tensor& b) { return add(a, b); },
       [](double a, double b) { return a + b; }, kRounded},
      {"sub", sub, [](double a, double b) { return a - b; }, kRounded},
      {"mul", [](const Tensor& a, const Tensor& b) { return mul(a, b); },
       [](double a, double b) { return a * b; }, kRounded},
      {"div", [](const Tensor& a, const Tensor& b) { return div(a, b); },
       [](double a, double b) { return a / b; }, kRounded},
      {"pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); },
       [](double a, double b) { return std::pow(a, b); }, 1},
      {"maximum", maximum, [](double a, double b) { return std::isnan(a) || a > b ? a : b; }, 0},
      {"minimum", minimum, [](double a, double b) { return std::isnan(a) || a < b ? a : b; }, 0},
  };
  return list;
}

/// Units in the last place of the float nearest to `exact`.
double ulp_error(float got, double exact, double floor) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) == std::isnan(got) ? 0 : kNever;
  if (static_cast<double>(got) == exact || (std::isinf(got) && static_cast<float>(exact) == got))
    return 0;
  if (!std::isfinite(got)) return kNever;
  const int exponent = std::max(std::ilogb(std::max(std::abs(exact), floor)), -126);
  return std::abs(static_cast<double>(got) - exact) / std::ldexp(1.0, exponent - 23);
}

std::vector<float> all_kinds_of_floats(std::uint64_t stride) {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits <= 0xffffffffu; bits += stride)
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  for (int i = -40000; i <= 40000; ++i)
    x.push_back(static_cast<float>(i) * 0x1p-11f);  // the range that networks live in
  return x;
}

/// Where something is special: every pair of these is tried.
std::vector<float> edges() {
  using Limits = std::numeric_limits<float>;
  std::vector<float> x = {0,
                          Limits::denorm_min(),
                          1e-42f,
                          1e-40f,
                          Limits::min(),
                          1e-38f,
                          1e-30f,
                          1e-10f,
                          0.1f,
                          0.5f,
                          1,
                          std::nextafter(1.0f, 2.0f),
                          1.5f,
                          2,
                          3,
                          3.14159f,
                          10,
                          127,
                          128,
                          149,
                          1e4f,
                          8388609.0f,
                          16777216.0f,
                          1e10f,
                          1e30f,
                          1e38f,
                          Limits::max(),
                          Limits::infinity(),
                          Limits::quiet_NaN()};
  for (std::size_t i = 0, n = x.size(); i < n; ++i) x.push_back(-x[i]);
  return x;
}

bool wanted(const std::string& name, const std::string& pattern) {
  return name.find(pattern) != std::string::npos;
}

template <class Exact, class At>
void judge(ElementAccuracy& worst, const Tensor& got, const Exact& exact, const At& at) {
  const float* values = got.data<float>();
  for (std::int64_t i = 0; i < got.numel(); ++i) {
    const double error = ulp_error(values[i], exact(i), worst.floor);
    if (error > worst.worst_ulp) worst.worst_ulp = error, worst.worst_at = at(i);
  }
  worst.tried = got.numel();
}

/// The largest error, in units in the last place of the largest element of the exact values, or of
/// `least` where that is more.
double array_ulps(const Tensor& got, const Tensor& exact, double least) {
  const std::vector<double> a = got.to_vector<double>(), b = exact.to_vector<double>();
  double largest = least, error = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return kNever;
    if (std::isnan(a[i]) || a[i] == b[i]) continue;
    error = std::max(error, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  return error == 0 ? 0 : error / std::ldexp(1.0, std::ilogb(largest) - 23);
}

struct Results {
  Tensor value;
  std::vector<Tensor> gradients;
};

Results results_of(const samples::Benchmark& benchmark, const std::vector<Tensor>& inputs,
                   DType dtype) {
  std::vector<Tensor> own, floats;
  for (const Tensor& input : inputs) {
    own.push_back(is_float(input.dtype()) ? raw::clone(raw::cast(input, dtype)) : input);
    if (is_float(input.dtype())) {
      own.back().set_requires_grad();
      floats.push_back(own.back());
    }
  }
  const Tensor value = benchmark.call(own);
  if (!value.requires_grad()) return {value, {}};
  return {value, grad({value}, floats,
                      {raw::cast(samples::values(value.shape(), 77, -1.5, 1.5), value.dtype())},
                      {.allow_unused = true})};
}

std::string figure(double ulps) { return ulps < 0 ? "-" : fmt::format("{:.2f}", ulps); }

}  // namespace

std::vector<ElementAccuracy> measure_elements(const std::string& pattern, std::uint64_t stride) {
  const NoGrad off;
  std::vector<ElementAccuracy> all;
  const std::vector<float> x = all_kinds_of_floats(stride);
  const Tensor tensor = Tensor::from<float>(x, {static_cast<std::int64_t>(x.size())});
  for (const OneOperand& f : one_operand_ops()) {
    if (!wanted(f.name, pattern)) continue;
    ElementAccuracy worst{.name = f.name, .worst_at = "", .bound_ulp = f.bound, .floor = f.floor};
    const auto at = [&](std::int64_t i) { return x[static_cast<std::size_t>(i)]; };
    judge(
        worst, f.op(tensor), [&](std::int64_t i) { return f.exact(static_cast<double>(at(i))); },
        [&](std::int64_t i) { return fmt::format("{:.9g}", at(i)); });
    all.push_back(worst);
  }
  // Every pair of special values; then random pairs, of any two floats and of two that lie near
  // each other.
  std::vector<float> a, b;
  for (const float left : edges())
    for (const float right : edges()) a.push_back(left), b.push_back(right);
  Generator random(1, "ulps");
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto bits = [&] {
      return static_cast<std::uint32_t>(random.next_below(std::uint64_t{1} << 32));
    };
    const std::uint32_t first = bits();
    a.push_back(std::bit_cast<float>(first));
    b.push_back(std::bit_cast<float>(i % 2 == 0 ? bits() : first + (bits() >> 8) - (1u << 23)));
  }
  const Tensor left = Tensor::from<float>(a, {static_cast<std::int64_t>(a.size())}),
               right = Tensor::from<float>(b, {static_cast<std::int64_t>(b.size())});
  for (const TwoOperands& f : two_operand_ops()) {
    if (!wanted(f.name, pattern)) continue;
    ElementAccuracy worst{.name = f.name, .worst_at = "", .bound_ulp = f.bound};
    judge(
        worst, f.op(left, right),
        [&](std::int64_t i) {
          return f.exact(static_cast<double>(a[static_cast<std::size_t>(i)]),
                         static_cast<double>(b[static_cast<std::size_t>(i)]));
        },
        [&](std::int64_t i) {
          return fmt::format("{:.9g}, {:.9g}", a[static_cast<std::size_t>(i)],
                             b[static_cast<std::size_t>(i)]);
        });
    all.push_back(worst);
  }
  return all;
}

std::vector<ArrayAccuracy> measure_arrays(const std::string& pattern) {
  std::vector<ArrayAccuracy> all;
  for (const samples::Entry& entry : samples::all()) {
    if (entry.kind != samples::Kind::op || !wanted(entry.name, pattern)) continue;
    for (const samples::Benchmark& benchmark : entry.make().benchmarks) {
      const std::vector<Tensor> inputs = benchmark.make_inputs();
      const Results rough = results_of(benchmark, inputs, DType::f32),
                    exact = results_of(benchmark, inputs, DType::f64);
      if (!is_float(rough.value.dtype())) continue;
      double least =
          1e-300;  // a sum of numbers that cancel is judged by those numbers, a thousandth of them
      for (const Tensor& input : inputs)
        if (is_float(input.dtype()) && input.numel() > 0)
          least = std::max(least, 1e-3 * max(abs(input)).item());
      ArrayAccuracy row{.name = entry.name,
                        .label = benchmark.label,
                        .value_ulp = array_ulps(rough.value, exact.value, least)};
      for (std::size_t i = 0; i < rough.gradients.size(); ++i)
        if (rough.gradients[i].defined())
          row.gradient_ulp = std::max(row.gradient_ulp,
                                      array_ulps(rough.gradients[i], exact.gradients[i], 1e-300));
      all.push_back(row);
    }
  }
  return all;
}

bool within_bounds(const std::vector<ElementAccuracy>& elements) {
  return std::all_of(elements.begin(), elements.end(),
                     [](const ElementAccuracy& e) { return e.worst_ulp <= e.bound_ulp; });
}

std::string to_table(const std::vector<ElementAccuracy>& elements,
                     const std::vector<ArrayAccuracy>& arrays) {
  std::string text;
  if (!elements.empty()) {
    text += fmt::format("{:<12}  {:>9}  {:>9}  {:>7}  {}\n", "op", "operands", "worst ulp", "bound",
                        "at");
    for (const ElementAccuracy& e : elements)
      text += fmt::format(
          "{:<12}  {:>9}  {:>9}  {:>7.4g}  {}{}{}\n", e.name, e.tried,
          fmt::format("{:.3f}", e.worst_ulp), e.bound_ulp, e.worst_at,
          e.floor > 0 ? fmt::format("  (below {:.2g}: units of a result of that size)", e.floor)
                      : "",
          e.worst_ulp <= e.bound_ulp ? "" : "  ABOVE ITS BOUND");
  }
  if (!arrays.empty()) {
    std::size_t name = 2, label = 4;
    for (const ArrayAccuracy& a : arrays)
      name = std::max(name, a.name.size()), label = std::max(label, a.label.size());
    text += fmt::format(
        "\nat the sizes of `weft bench ops`, in units in the last place of the largest "
        "element:\n{:<{}}  {:<{}}  {:>9}  {:>9}\n",
        "op", name, "case", label, "value", "gradients");
    for (const ArrayAccuracy& a : arrays)
      text += fmt::format("{:<{}}  {:<{}}  {:>9}  {:>9}\n", a.name, name, a.label, label,
                          figure(a.value_ulp), figure(a.gradient_ulp));
  }
  return text;
}

std::string to_json(const std::vector<ElementAccuracy>& elements,
                    const std::vector<ArrayAccuracy>& arrays) {
  using Json = nlohmann::ordered_json;
  Json one = Json::array(), many = Json::array();
  const auto number = [](double value) {
    return std::isfinite(value) && value >= 0 ? Json(value) : Json(nullptr);
  };
  for (const ElementAccuracy& e : elements)
    one.push_back({{"op", e.name},
                   {"operands", e.tried},
                   {"worst_ulp", number(e.worst_ulp)},
                   {"bound_ulp", e.bound_ulp},
                   {"at", e.worst_at},
                   {"floor", e.floor}});
  for (const ArrayAccuracy& a : arrays)
    many.push_back({{"op", a.name},
                    {"case", a.label},
                    {"value_ulp", number(a.value_ulp)},
                    {"gradient_ulp", number(a.gradient_ulp)}});
  return Json{{"elements", one}, {"arrays", many}}.dump(2) + "\n";
}

}  // namespace weft::bench
