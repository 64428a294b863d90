#include "autograd/ops/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"
#include "autograd/samples/case_helpers.h"

namespace weft::samples::reduce_samples {
namespace {

using Group = std::vector<double>;
using Fold = std::function<double(const Group&)>;
using Op = Tensor (*)(const Tensor&, const Dims&, bool);

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// fold(the elements that become one) for every element of the result, in row-major order.
Reference folded(const Dims& dims, const Fold& fold) {
  return [=](const Inputs& in) {
    const Shape& shape = in[0].shape();
    Shape kept = shape;
    for (int d = 0; d < shape.rank(); ++d) {
      const bool named = std::any_of(dims.begin(), dims.end(), [&](std::int64_t dim) {
        return (dim + shape.rank()) % shape.rank() == d;
      });
      if (dims.empty() || named) kept[d] = 1;
    }
    std::vector<Group> groups(static_cast<std::size_t>(kept.numel()));
    const std::vector<double> x = flat(in[0]);
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::int64_t rest = static_cast<std::int64_t>(i), place = 0, stride = 1;
      for (int d = shape.rank() - 1; d >= 0; --d) {
        if (kept[d] != 1) place += rest % shape[d] * stride;
        stride *= kept[d];
        rest /= shape[d];
      }
      groups[static_cast<std::size_t>(place)].push_back(x[i]);
    }
    std::vector<double> out;
    for (const Group& group : groups) out.push_back(fold(group));
    return out;
  };
}

double total(const Group& group) {
  double sum = 0;
  for (const double x : group) sum += x;
  return sum;
}

double log_total(const Group& group) {
  if (group.empty()) return -kInfinity;
  const double top = *std::max_element(group.begin(), group.end());
  if (std::isinf(top)) return top;
  double sum = 0;
  for (const double x : group) sum += std::exp(x - top);
  return top + std::log(sum);
}

/// Every arrangement of reduced and kept dimensions, short and long.
std::vector<Case> reduction_cases(Op op, const Fold& fold) {
  struct Arrangement {
    const char* label;
    Shape shape;
    Dims dims;
    bool keepdim;
  };
  const Arrangement table[] = {
      {"all", {3, 4, 2}, {}, false},
      {"all, kept", {3, 4}, {}, true},
      {"last", {3, 37}, {-1}, false},
      {"first", {7, 5}, {0}, false},
      {"first of many columns", {3, 70}, {0}, false},
      {"middle", {2, 5, 3}, {1}, true},
      {"last two", {2, 3, 4}, {-2, -1}, false},
      {"first and last", {3, 4, 5}, {2, 0}, false},
      {"first and third", {2, 3, 4, 2}, {0, 2}, true},
      {"a dimension of one", {3, 1, 2}, {1}, false},
      {"a scalar", {}, {}, false},
      {"no rows", {0, 3}, {1}, false},
      {"many rows", {200, 3}, {0}, false},
  };
  std::vector<Case> cases;
  std::uint64_t salt = 0;
  for (const Arrangement& one : table)
    cases.push_back(make_case(
        one.label, {values(one.shape, ++salt)},
        [op, dims = one.dims, keep = one.keepdim](const Inputs& in) {
          return op(in[0], dims, keep);
        },
        folded(one.dims, fold)));
  // Longer than a block of the kernels.
  Case row = make_case(
      "a long row", {values({2, 70000}, 21)},
      [op](const Inputs& in) { return op(in[0], {1}, false); }, folded({1}, fold));
  row.check.max_elements = 8;
  row.check.noncontiguous = false;
  row.f32_tolerance = 1e-4;
  row.no_second_order = "too many elements; the other cases check it";
  cases.push_back(std::move(row));
  return cases;
}

std::vector<ErrorCase> reduction_errors(const std::string& name, Op op) {
  return {
      {"out of range",
       [op] {
         op(values({2, 3}, 1), {2}, false);
       },
       "[" + name + "] dimension 2 is out of range for 2 dimensions"},
      {"twice",
       [op] {
         op(values({2, 3}, 1), {1, -1}, false);
       },
       "[" + name + "] dimension 1 is given twice"},
      {"integers", [op] { op(Tensor::arange(3), {}, false); },
       "[" + name + "] expects f32 or f64, got i64"},
  };
}

Benchmark bench(const std::string& label, const Shape& shape, const GradFunction& call,
                double flops = 1) {
  const double n = static_cast<double>(shape.numel());
  return {label, f32_inputs({shape}), call, flops * n, 4 * n};
}

std::vector<Benchmark> reduction_benchmarks(Op op, double flops = 1) {
  return {
      bench(
          "rows of (4096, 256)", {4096, 256},
          [op](const Inputs& in) { return op(in[0], {-1}, false); }, flops),
      bench(
          "columns of (4096, 256)", {4096, 256},
          [op](const Inputs& in) { return op(in[0], {0}, false); }, flops),
      bench(
          "all of (4096, 256)", {4096, 256},
          [op](const Inputs& in) { return op(in[0], {}, false); }, flops),
  };
}

Sample reduction(const std::string& name, Op op, const Fold& fold, double flops = 1) {
  return {name,
          Kind::op,
          reduction_cases(op, fold),
          reduction_errors(name, op),
          reduction_benchmarks(op, flops),
          {}};
}

Sample make_sum() {
  Sample s = reduction("sum", sum, total);
  s.cases.push_back(make_case(
      "over nothing", {values({3, 0}, 31)}, [](const Inputs& in) { return sum(in[0], {1}); },
      folded({1}, total)));
  return s;
}

Sample make_mean() {
  const Fold mean_of = [](const Group& group) {
    return total(group) / static_cast<double>(group.size());
  };
  Sample s = reduction("mean", mean, mean_of);
  s.cases.push_back(make_constant_case(
      "over nothing", {values({3, 0}, 31)},
      [](const Inputs& in) { return mean(in[0].detach(), {1}); }, folded({1}, mean_of)));
  return s;
}

Sample make_var() {
  const auto var_of = [](int correction) {
    return [correction](const Group& group) {
      const double center = total(group) / static_cast<double>(group.size());
      double squares = 0;
      for (const double x : group) squares += (x - center) * (x - center);
      return squares / static_cast<double>(static_cast<std::int64_t>(group.size()) - correction);
    };
  };
  Sample s = reduction(
      "var",
      [](const Tensor& x, const Dims& dims, bool keepdim) { return var(x, dims, 0, keepdim); },
      var_of(0), 4);
  s.cases.push_back(make_case(
      "unbiased", {values({3, 5}, 31)}, [](const Inputs& in) { return var(in[0], {1}); },
      folded({1}, var_of(1))));
  s.cases.push_back(make_case(
      "unbiased, first and last", {values({3, 2, 4}, 32)},
      [](const Inputs& in) {
        return var(in[0], {0, 2}, 1, true);
      },
      folded({0, 2}, var_of(1))));
  // Squares of 1000 in f32 have no digits left for deviations of 1: only the two passes get this
  // right.
  s.cases.push_back(make_case(
      "far from 0", {values({2, 50}, 33, 999, 1001)},
      [](const Inputs& in) { return var(in[0], {1}); }, folded({1}, var_of(1))));
  s.cases.back().check.atol = 1e-4;  // a step of 1000 * 1e-6
  s.errors.push_back({"too few",
                      [] {
                        var(values({2, 1}, 1), {1});
                      },
                      "[var] needs more elements than the correction: 1 over 1 of x (2, 1)"});
  s.errors.push_back({"none",
                      [] {
                        var(values({2, 0}, 1), {1}, 0);
                      },
                      "[var] needs more elements than the correction: 0 over 0 of x (2, 0)"});
  return s;
}

Sample extreme(const std::string& name, Op op, const Fold& fold) {
  Sample s = reduction(name, op, fold);
  Case ties = make_case(
      "ties", {Tensor::from<double>({1, 3, 3, 2, 1, 1, 2, 2}, {2, 4})},
      [op](const Inputs& in) { return op(in[0], {1}, false); }, folded({1}, fold));
  ties.check.kinks = [name](int, std::int64_t element, double value) {
    const bool is_extreme =
        name == "max" ? value == (element < 4 ? 3 : 2) : value == 1 && element >= 4;
    return is_extreme ? 2 : 0;
  };
  s.cases.push_back(ties);
  // The extreme of two equal copies is smooth in what they are copies of, if the copies share its
  // gradient.
  s.cases.push_back(make_case(
      "equal copies", {values({3, 4}, 31)},
      [op](const Inputs& in) {
        return op(stack({in[0], in[0]}, 0), {0}, false);
      },
      [](const Inputs& in) { return flat(in[0]); }));
  s.cases.push_back(make_constant_case(
      "NaN and infinities",
      {Tensor::from<double>({1, kNan, 2, kInfinity, 1, 2, -kInfinity, 5, 2}, {3, 3})},
      [op](const Inputs& in) { return op(in[0].detach(), {1}, false); }, folded({1}, fold)));
  s.cases.push_back(make_constant_case(
      "NaN down a column", {Tensor::from<double>({1, 2, kNan, 2, 1, kNan}, {3, 2})},
      [op](const Inputs& in) { return op(in[0].detach(), {0}, false); }, folded({0}, fold)));
  s.errors.push_back(
      {"nothing",
       [op] {
         op(values({3, 0}, 1), {1}, false);
       },
       "[" + name + "] nothing to choose from: x (3, 0); the reduced dimensions hold no element"});
  return s;
}

Fold extreme_of(bool largest) {
  return [largest](const Group& group) {
    double best = group[0];
    for (const double x : group)
      if (std::isnan(x) || (largest ? x > best : x < best)) best = std::isnan(best) ? best : x;
    return best;
  };
}

Sample make_argmax() {
  Sample s{"argmax", Kind::op, {}, {}, {}, {}};
  const Fold first_largest = [](const Group& group) {
    for (std::size_t i = 0; i < group.size(); ++i)
      if (std::isnan(group[i])) return static_cast<double>(i);
    return static_cast<double>(std::max_element(group.begin(), group.end()) - group.begin());
  };
  const auto along = [](std::int64_t dim, bool keepdim) {
    return [=](const Inputs& in) { return argmax(in[0], dim, keepdim); };
  };
  s.cases = {
      make_constant_case("last", {values({3, 7}, 1)}, along(-1, false),
                         folded({-1}, first_largest)),
      make_constant_case("first, kept", {values({3, 7}, 2)}, along(0, true),
                         folded({0}, first_largest)),
      make_constant_case("middle", {values({2, 5, 3}, 3)}, along(1, false),
                         folded({1}, first_largest)),
      make_constant_case("ties", {raw::cast(ids({5, 6}, 3, 4), DType::f64)}, along(1, false),
                         folded({1}, first_largest)),
      make_constant_case("ids", {ids({5, 6}, 9, 5)}, along(1, false), folded({1}, first_largest)),
      make_constant_case("NaN", {Tensor::from<double>({1, kNan, 2, kNan, 1, 2}, {2, 3})},
                         along(1, false), folded({1}, first_largest)),
      make_constant_case("no rows", {values({0, 3}, 6)}, along(1, false),
                         folded({1}, first_largest)),
  };
  s.errors = {
      {"out of range",
       [] {
         argmax(values({2, 3}, 1), 2);
       },
       "[argmax] dimension 2 is out of range for 2 dimensions"},
      {"nothing",
       [] {
         argmax(values({2, 0}, 1));
       },
       "[argmax] nothing to choose from: dimension 1 of x (2, 0) is empty"},
  };
  s.benchmarks = {bench("rows of (4096, 256)", {4096, 256}, along(-1, false))};
  return s;
}

Sample make_logsumexp() {
  Sample s = reduction("logsumexp", logsumexp, log_total, 15);
  s.cases.push_back(make_case(
      "large values", {values({3, 5}, 31, 900, 1000)},
      [](const Inputs& in) { return logsumexp(in[0], {1}); }, folded({1}, log_total)));
  s.cases.push_back(make_case(
      "over nothing", {values({3, 0}, 32)}, [](const Inputs& in) { return logsumexp(in[0], {1}); },
      folded({1}, log_total)));
  // A row of only -infinity has the value -infinity; next to others it adds nothing. The finite
  // ones are checked.
  Case masked = make_case(
      "-infinity", {values({2, 3}, 33)},
      [](const Inputs& in) {
        const Tensor mask = Tensor::from<std::uint8_t>({0, 1, 0, 0, 0, 0}, {2, 3});
        return logsumexp(masked_fill(in[0], mask, -kInfinity), {1});
      },
      [](const Inputs& in) {
        const std::vector<double> x = flat(in[0]);
        return std::vector<double>{log_total({x[0], x[2]}), log_total({x[3], x[4], x[5]})};
      });
  s.cases.push_back(masked);
  s.cases.push_back(make_constant_case(
      "only infinities", {Tensor::from<double>({-kInfinity, -kInfinity, kInfinity, 1}, {2, 2})},
      [](const Inputs& in) { return logsumexp(in[0].detach(), {1}); }, folded({1}, log_total)));
  return s;
}

Sample make_cumsum() {
  Sample s{"cumsum", Kind::op, {}, {}, {}, {}};
  const auto along = [](std::int64_t dim) {
    return [=](const Inputs& in) { return cumsum(in[0], dim); };
  };
  const auto running = [](std::int64_t dim) -> Reference {
    return [=](const Inputs& in) {
      const Shape& shape = in[0].shape();
      std::int64_t inner = 1;
      for (int d = shape.rank() - 1; d > dim; --d) inner *= shape[d];
      std::vector<double> out = flat(in[0]);
      for (std::size_t i = 0; i < out.size(); ++i)
        if (static_cast<std::int64_t>(i) / inner % shape[static_cast<int>(dim)] != 0)
          out[i] += out[i - static_cast<std::size_t>(inner)];
      return out;
    };
  };
  s.cases = {
      make_case("last", {values({3, 7}, 1)}, along(-1), running(1)),
      make_case("first", {values({7, 3}, 2)}, along(0), running(0)),
      make_case("middle of many columns", {values({2, 4, 70}, 3)}, along(1), running(1)),
      make_case("one element", {values({1}, 4)}, along(0), running(0)),
      make_case("empty", {values({3, 0}, 5)}, along(1), running(1)),
      make_case("no columns", {values({3, 0}, 6)}, along(0), running(0)),
  };
  s.cases[2].check.max_elements = 40;
  s.errors = {
      {"out of range",
       [] {
         cumsum(values({2, 3}, 1), 2);
       },
       "[cumsum] dimension 2 is out of range for 2 dimensions"},
      {"integers", [] { cumsum(Tensor::arange(3), 0); }, "[cumsum] expects f32 or f64, got i64"},
  };
  s.benchmarks = {bench("rows of (4096, 256)", {4096, 256}, along(-1)),
                  bench("columns of (4096, 256)", {4096, 256}, along(0))};
  return s;
}

Sample make_sum_to() {
  Sample s{"sum_to", Kind::op, {}, {}, {}, {}};
  const auto to = [](const Shape& shape) {
    return [=](const Inputs& in) { return sum_to(in[0], shape); };
  };
  s.cases = {
      make_case("a row", {values({4, 3}, 1)}, to({3}), folded({0}, total)),
      make_case("a column", {values({4, 3}, 2)}, to({4, 1}), folded({1}, total)),
      make_case("a scalar", {values({2, 3, 2}, 3)}, to({}), folded({}, total)),
      make_case("outer dimensions and one inside", {values({2, 3, 4}, 4)}, to({1, 4}),
                folded({0, 1}, total)),
      make_case("first and last", {values({3, 4, 5}, 5)}, to({1, 4, 1}), folded({0, 2}, total)),
      make_case("its own shape", {values({3, 4}, 6)}, to({3, 4}),
                [](const Inputs& in) { return flat(in[0]); }),
      make_case("only dimensions of one", {values({1, 1, 4}, 7)}, to({4}),
                [](const Inputs& in) { return flat(in[0]); }),
      make_case("empty", {values({0, 4}, 8)}, to({4}), folded({0}, total)),
  };
  s.errors = {
      {"shape",
       [] {
         sum_to(values({4, 3}, 1), {4});
       },
       "[sum_to] the shape must broadcast to x: x (4, 3), shape (4,)"},
      {"integers", [] { sum_to(Tensor::arange(3), {}); }, "[sum_to] expects f32 or f64, got i64"},
  };
  s.benchmarks = {bench("a row of (4096, 256)", {4096, 256}, to({256})),
                  bench("a column of (4096, 256)", {4096, 256}, to({4096, 1}))};
  return s;
}

const std::vector<Register> registered = {
    {"sum", Kind::op, make_sum},
    {"mean", Kind::op, make_mean},
    {"var", Kind::op, make_var},
    {"max", Kind::op, [] { return extreme("max", max, extreme_of(true)); }},
    {"min", Kind::op, [] { return extreme("min", min, extreme_of(false)); }},
    {"argmax", Kind::op, make_argmax},
    {"logsumexp", Kind::op, make_logsumexp},
    {"cumsum", Kind::op, make_cumsum},
    {"sum_to", Kind::op, make_sum_to},
};

}  // namespace
}  // namespace weft::samples::reduce_samples
