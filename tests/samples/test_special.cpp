// NaN, infinities and floats at the ends of their range: what the documentation of an op says of
// them, in f32 and f64, by rule and by definition.
#include <limits>

#include "autograd/ops.h"
#include "core/storage.h"
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

using Vector = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(),
                 kInfinity = std::numeric_limits<double>::infinity();
constexpr float kMost = std::numeric_limits<float>::max();

Tensor wanted(const Tensor& t) {
  t.set_requires_grad();
  return t;
}

/// Gradient of the sum of `call(x)`.
Vector gradient(const std::function<Tensor(const Tensor&)>& call, const Tensor& x,
                bool create_graph = false) {
  wanted(x);
  return grad({sum(call(x))}, {x}, {}, {.create_graph = create_graph})[0].to_vector<double>();
}

/// A norm of a row in long double, and the gradient of <it, g> with respect to x.
struct ExactRow {
  Vector value, dx;
};

ExactRow exact_norm(const Vector& x, const Vector& g, bool center, long double eps) {
  const auto n = static_cast<long double>(x.size());
  long double mean = 0, squares = 0, mean_g = 0, mean_gh = 0;
  if (center)
    for (const double v : x) mean += static_cast<long double>(v) / n;
  for (const double v : x) squares += (v - mean) * (v - mean) / n;
  const long double rstd = 1 / std::sqrt(squares + eps);
  ExactRow row;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double h = (x[i] - mean) * rstd;
    row.value.push_back(static_cast<double>(h));
    if (center) mean_g += g[i] / n;
    mean_gh += g[i] * h / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i)
    row.dx.push_back(static_cast<double>(rstd * (g[i] - mean_g - (x[i] - mean) * rstd * mean_gh)));
  return row;
}

/// Rows that an f32 norm of f32 sums gets wrong, and some that it gets right.
std::vector<std::vector<float>> hard_rows() {
  return {{10'000'001, 10'000'002, 10'000'003, 10'000'004},
          {1e19F, -1e19F, 2e19F, 0},
          {1e30F, 3e30F, -2e30F, 1e29F},
          {kMost, -kMost, kMost / 2, 0},
          {kMost, kMost / 2, kMost / 4, kMost / 8},
          {1e6F, 1e6F + 1, 1e6F, 1e6F - 1},
          {-3000, -3001, -3002, -3001.5F},
          {300, 301, 302, 301.5F},
          {1, 2, 3, 4},
          {1e-3F, 2e-3F, 0, 1e-3F}};
}

void close(const Vector& found, const Vector& expected, double tolerance, const std::string& what) {
  double largest = 0;
  for (const double v : expected) largest = std::max(largest, std::abs(v));
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK_MESSAGE(std::abs(found[i] - expected[i]) <= tolerance * largest, what, ": ", found[i],
                  " instead of ", expected[i], " at ", i);
}

}  // namespace

TEST_CASE("norms are right for every finite row, forward, backward and by their definition") {
  const Vector g{0.5, -1, 2, 0.25};
  const Tensor seed = raw::cast(Tensor::from(g, {1, 4}), DType::f32);
  for (const auto& row : hard_rows())
    for (const bool center : {true, false})
      for (const bool create_graph : {false, true}) {
        const std::string what = fmt::format("{} of {} ..{}", center ? "layer_norm" : "rms_norm",
                                             row[0], create_graph ? ", by definition" : "");
        const Tensor x = wanted(Tensor::from(row, {1, 4})),
                     y = center ? layer_norm(x) : rms_norm(x);
        const ExactRow exact = exact_norm(x.to_vector<double>(), g, center, center ? 1e-5L : 1e-6L);
        close(y.to_vector<double>(), exact.value, 1e-4, what);
        close(grad({y}, {x}, {seed}, {.create_graph = create_graph})[0].to_vector<double>(),
              exact.dx, 2e-3, what + ", gradient");
      }
  close(layer_norm(Tensor::from<float>({10'000'001, 10'000'002, 10'000'003, 10'000'004}, {4}))
            .to_vector<double>(),
        {-1.3416, -0.4472, 0.4472, 1.3416}, 1e-4, "the example");
}

TEST_CASE("norms of f64 rows whose squares no f64 holds") {
  const Vector x{1e200, -3e200, 2e300, 1e299}, g{1, -2, 0.5, 1};
  for (const bool center : {true, false}) {
    const Tensor t = wanted(Tensor::from(x, {4})), y = center ? layer_norm(t) : rms_norm(t);
    const ExactRow exact = exact_norm(x, g, center, 0);
    close(y.to_vector<double>(), exact.value, 1e-12, "value");
    close(grad({y}, {t}, {Tensor::from(g, {4})})[0].to_vector<double>(), exact.dx, 1e-9,
          "gradient");
  }
  CHECK(rms_norm(Tensor::from<float>({3e-25F, 4e-25F}, {2}), {}, 0).to_vector<float>()[1] ==
        doctest::Approx(4 / std::sqrt(12.5)));
}

TEST_CASE("a row or channel of one value is 0, however large") {
  for (const float value : {0.1F, 3.0F, 12345.678F, 1e20F, kMost}) {
    const std::string what = fmt::format("three times {}", value);
    const Vector row = layer_norm(Tensor::full({3}, value)).to_vector<double>();
    const Vector channel = batch_norm(Tensor::full({3, 1}, value), {}, {}, {}).to_vector<double>();
    check_close(row, Vector(3, 0.0), 1e-5, what);
    check_close(channel, Vector(3, 0.0), 1e-5, what);
  }
}

TEST_CASE("a norm's weights have their gradients from hard and ordinary rows together") {
  std::vector<float> all;
  Vector expected_dw(4, 0.0), expected_db(4, 0.0);
  const Vector g{0.5, -1, 2, 0.25};
  for (const auto& row : hard_rows()) {
    all.insert(all.end(), row.begin(), row.end());
    const ExactRow exact = exact_norm(Vector(row.begin(), row.end()), g, true, 1e-5L);
    for (std::size_t i = 0; i < 4; ++i)
      expected_dw[i] += g[i] * exact.value[i], expected_db[i] += g[i];
  }
  const auto rows = static_cast<std::int64_t>(hard_rows().size());
  const Tensor weight = wanted(Tensor::ones({4})), bias = wanted(Tensor::zeros({4}));
  const Tensor y = layer_norm(Tensor::from(all, {rows, 4}), weight, bias);
  const auto found = grad({y}, {weight, bias},
                          {raw::expand(raw::cast(Tensor::from(g, {4}), DType::f32), {rows, 4})});
  close(found[0].to_vector<double>(), expected_dw, 1e-4, "weight");
  close(found[1].to_vector<double>(), expected_db, 1e-6, "bias");
}

TEST_CASE("batch norm and dice of hard columns, and running statistics that f32 does not hold") {
  const Vector g{0.5, -1, 2, 0.25};
  const Tensor seed = raw::cast(Tensor::from(g, {4, 1}), DType::f32);
  for (const auto& column : hard_rows()) {
    const Tensor x = wanted(Tensor::from(column, {4, 1})), y = batch_norm(x, {}, {}, {});
    const ExactRow exact = exact_norm(x.to_vector<double>(), g, true, 1e-5L);
    const std::string what = fmt::format("batch_norm of {} ..", column[0]);
    close(y.to_vector<double>(), exact.value, 1e-4, what);
    close(grad({y}, {x}, {seed})[0].to_vector<double>(), exact.dx, 2e-3, what + ", gradient");

    const Tensor alpha = Tensor::zeros({1}), gated = dice(x, alpha, {.training = true});
    Vector expected;
    for (std::size_t i = 0; i < 4; ++i)
      expected.push_back(column[i] /
                         (1 + std::exp(-exact_norm(x.to_vector<double>(), g, true,
                                                   static_cast<long double>(DiceOptions{}.eps))
                                            .value[i])));
    close(gated.to_vector<double>(), expected, 1e-4, fmt::format("dice of {} ..", column[0]));
  }
  const Tensor mean = Tensor::zeros({1}), variance = Tensor::ones({1}),
               x = Tensor::from<float>({1e25F, -1e25F}, {2, 1});
  CHECK_THROWS_WITH_AS(
      batch_norm(x, {}, {}, {.training = true, .running_mean = mean, .running_var = variance}),
      "[batch_norm] running_var of channel 0 would be 2e+49, more than f32 holds; scale x down",
      NumericError);
  CHECK(variance.item() == 1);
}

TEST_CASE("the variance of f32 elements around a large mean, or with squares that no f32 holds") {
  CHECK(var(Tensor::from<float>({10'000'001, 10'000'002, 10'000'003, 10'000'004}, {4})).item() ==
        doctest::Approx(5.0 / 3));
  CHECK(gradient([](const Tensor& x) { return var(x); },
                 Tensor::from<float>({10'000'001, 10'000'002, 10'000'003, 10'000'004}, {4})) ==
        Vector{-1, static_cast<float>(-1.0 / 3), static_cast<float>(1.0 / 3), 1});
  CHECK(var(Tensor::from<float>({1e19F, -1e19F, 1e19F, -1e19F}, {4}), {}, 0).item() ==
        doctest::Approx(1e38));
}

TEST_CASE("softmax, logsumexp and cross entropy of the largest floats, and of -infinity") {
  const Tensor x = Tensor::from<float>({kMost, -kMost, kMost, 0}, {4});
  CHECK(softmax(x, 0).to_vector<double>() == Vector{0.5, 0, 0.5, 0});
  CHECK(logsumexp(x).item() == static_cast<double>(kMost));
  const Tensor logits = Tensor::from<float>({static_cast<float>(-kInfinity), 1, 1}, {1, 3});
  const Tensor target = Tensor::from<std::int64_t>({1}, {1});
  CHECK(cross_entropy(logits, target).item() == doctest::Approx(std::log(2.0)));
  for (const bool create_graph : {false, true})
    close(gradient([&](const Tensor& t) { return cross_entropy(t, target); }, logits, create_graph),
          {0, -0.5, 0.5}, 1e-6, "cross entropy");
}

TEST_CASE("kl_div where the target is 0, whatever log_q is") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor log_q =
        wanted(raw::cast(Tensor::from<double>({-kInfinity, std::log(0.5), -1e30}, {3}), dtype));
    const Tensor target = wanted(raw::cast(Tensor::from<double>({0, 1, 0}, {3}), dtype));
    const Tensor loss = kl_div(log_q, target, Reduction::sum);
    CHECK(loss.item() == doctest::Approx(std::log(2.0)));
    const auto gradients = grad({loss}, {log_q, target});
    CHECK(gradients[0].to_vector<double>() == Vector{0, -1, 0});
    close(gradients[1].to_vector<double>(), {0, 1 + std::log(2.0), 0}, 1e-6, "target");
  }
}

TEST_CASE("binary cross entropy of sure answers") {
  for (const double pos_weight : {1.0, 3.0}) {
    const auto loss = [&](const Tensor& x, const Tensor& t) {
      return bce_with_logits(x, t, Reduction::none, pos_weight);
    };
    const Tensor x = Tensor::from<double>({kInfinity, -kInfinity, kInfinity, -kInfinity, 1e300, 0},
                                          {6}),
                 t = Tensor::from<double>({1, 0, 0, 1, 1, 1}, {6});
    const Vector found = loss(x, t).to_vector<double>();
    for (std::size_t i : {0, 1, 4}) CHECK(found[i] == 0);
    for (std::size_t i : {2, 3}) CHECK(found[i] == kInfinity);
    CHECK(found[5] == doctest::Approx(pos_weight * std::log(2.0)));
    const Vector slope = gradient([&](const Tensor& y) { return loss(y, t); }, x);
    close({slope[0], slope[1], slope[2], slope[3], slope[4], slope[5]},
          {0, 0, 1, -pos_weight, 0, -0.5 * pos_weight}, 1e-12, "slope");
  }
}

TEST_CASE("NaN in an elementwise op: the value is NaN, and the gradient what the header says") {
  // 0 where the header excludes NaN by its condition, NaN everywhere else.
  const auto is_zero = [](const std::string& name) {
    return name == "relu" || name == "clamp" || name == "sign";
  };
  int checked = 0;
  for_each_sample([](const Entry& entry) { return entry.kind == Kind::op; },
                  [&](const Sample& sample) {
                    const Case& one = sample.cases[0];
                    // What changes no value but its own, and changes that: an op of one element
                    // each.
                    if (one.inputs.size() != 1 || !is_float(one.inputs[0].dtype()) ||
                        one.inputs[0].numel() < 3 || !one.gradients)
                      return;
                    const Tensor plain = raw::clone(one.inputs[0]), poisoned = raw::clone(plain);
                    poisoned.as_strided({1}, {1}, 1).fill(kNan);
                    const Vector before = one.call({plain}).to_vector<double>(),
                                 after = one.call({poisoned}).to_vector<double>();
                    if (before.size() != static_cast<std::size_t>(plain.numel()) ||
                        one.call({plain}).shape() != plain.shape())
                      return;
                    for (std::size_t i = 0; i < after.size(); ++i)
                      if (i != 1 && after[i] != before[i]) return;
                    if (distance(before, flat(plain)) == 0) return;  // a view or a copy
                    ++checked;
                    for (const DType dtype : {DType::f64, DType::f32})
                      for (const bool create_graph : {false, true}) {
                        const Tensor x = raw::clone(raw::cast(poisoned, dtype));
                        const auto call = [&](const Tensor& t) { return one.call({t}); };
                        CHECK_MESSAGE(std::isnan(one.call({x}).to_vector<double>()[1]), sample.name,
                                      " in ", name(dtype));
                        const double slope = gradient(call, x, create_graph)[1];
                        const bool constant =
                            sample.name == "neg" || sample.name == "dropout";  // a slope of no x
                        if (!constant)
                          CHECK_MESSAGE((is_zero(sample.name) ? slope == 0 : std::isnan(slope)),
                                        sample.name, " in ", name(dtype), ": ", slope);
                      }
                  });
  CHECK(checked >= 17);
  CHECK(gradient([](const Tensor& x) { return clamp(x, -1, 1); },
                 Tensor::from<double>({kNan, 0, 2, -1}, {4})) == Vector{0, 1, 0, 1});
}

TEST_CASE("NaN in a maximum takes the gradient that it won") {
  for (const auto op : {maximum, minimum}) {
    const Tensor a = wanted(Tensor::from<double>({kNan, 1, kNan}, {3})),
                 b = wanted(Tensor::from<double>({1, kNan, kNan}, {3}));
    const auto found = grad({sum(op(a, b))}, {a, b});
    CHECK(found[0].to_vector<double>() == Vector{1, 0, 1});
    CHECK(found[1].to_vector<double>() == Vector{0, 1, 0});
  }
  for (const auto op : {max, min})
    CHECK(gradient([&](const Tensor& x) { return op(x, {}, false); },
                   Tensor::from<double>({1, kNan, 3, kNan}, {4})) == Vector{0, 0.5, 0, 0.5});
}

TEST_CASE("division by a constant is division") {
  for (int i = 1; i <= 100; ++i)
    for (const DType dtype : {DType::f32, DType::f64}) {
      CHECK((Tensor::scalar(i, dtype) / i).item() == 1);
      CHECK((Tensor::scalar(7 * i, dtype) / i).item() == 7);
    }
  CHECK(gradient([](const Tensor& x) { return x / 49; }, Tensor::scalar(3)) ==
        Vector{static_cast<double>(1.0F / 49.0F)});
}

TEST_CASE("one number is that dimension wherever dimensions are taken") {
  const Tensor x = values({2, 3, 4}, 1);
  static_assert(!std::is_convertible_v<bool, Dims> && !std::is_convertible_v<double, Dims>);
  for (const auto op : {sum, mean, max, min, logsumexp}) {
    CHECK(op(x, 1, false).shape() == Shape{2, 4});
    CHECK(all_equal(op(x, 1, false), op(x, {1}, false)));
    CHECK(all_equal(op(x, Dims(-1), true), op(x, {2}, true)));
    CHECK(op(x, {}, false).shape() == Shape{});
    CHECK(op(x, {0, 2}, false).shape() == Shape{3});
  }
  CHECK(all_equal(var(x, 1), var(x, {1})));
  CHECK(all_equal(flip(x, 1), flip(x, {1})));
  CHECK(all_equal(sum(x, std::vector<std::int64_t>{0, 1}), sum(x, {0, 1})));
  CHECK(sum(x, 0U).shape() == Shape{3, 4});
}

TEST_CASE("a reduction of what expand() repeats does not make it") {
  const std::int64_t many = std::int64_t{1} << 36;  // 256 GiB of f32
  const Tensor x = raw::expand(Tensor::scalar(2), {many}),
               wide = raw::expand(Tensor::from<float>({1, 5, 3}, {3, 1}), {3, many});
  reset_peak_memory();
  const std::int64_t before = memory_stats().peak;
  CHECK(sum(x).item() == 2.0 * static_cast<double>(many));
  CHECK(mean(x).item() == 2);
  CHECK(max(x).item() == 2);
  CHECK(min(x).item() == 2);
  CHECK(var(x).item() == 0);
  CHECK(logsumexp(x).item() == doctest::Approx(2 + std::log(static_cast<double>(many))));
  CHECK(argmax(x).item() == 0);
  CHECK(raw::find_nonfinite(x) == -1);
  CHECK(sum(wide, {1}).to_vector<double>() == Vector{1.0 * static_cast<double>(many),
                                                     5.0 * static_cast<double>(many),
                                                     3.0 * static_cast<double>(many)});
  CHECK(argmax(raw::transpose(wide, 0, 1), 0).to_vector<double>() == Vector{0, 0, 0});
  CHECK(sum_to(wide, {3, 1}).shape() == Shape{3, 1});
  const Tensor one = wanted(Tensor::scalar(3));
  CHECK(grad({mean(expand(one, {many}))}, {one})[0].item() == doctest::Approx(1));
  CHECK(memory_stats().peak - before < 1 << 20);
}

TEST_CASE("reductions of views that are stretched in part are those of their copies") {
  const Tensor x = raw::expand(values({3, 1, 4, 1}, 1), {3, 5, 4, 2});
  const Tensor copy = raw::clone(x);
  for (const Dims& dims :
       {Dims{}, Dims{0}, Dims{1}, Dims{2}, Dims{3}, Dims{0, 1}, Dims{1, 2}, Dims{1, 3}, Dims{0, 2}})
    for (const auto op : {sum, mean, max, min, logsumexp}) {
      const Tensor found = op(x, dims, true), expected = op(copy, dims, true);
      CHECK(found.shape() == expected.shape());
      CHECK(found.is_contiguous());
      close(found.to_vector<double>(), expected.to_vector<double>(), 1e-12, "a reduction");
    }
  for (int dim = 0; dim < 4; ++dim) {
    CHECK(all_equal(argmax(x, dim), argmax(copy, dim)));
    CHECK(all_equal(argmax(x, dim, true), argmax(copy, dim, true)));
  }
  close(var(x, {1, 2}).to_vector<double>(), var(copy, {1, 2}).to_vector<double>(), 1e-12, "var");
  CHECK(all_equal(exp(x), exp(copy)));
  const Tensor a = raw::expand(values({2, 3}, 1), {4, 2, 3}),
               b = raw::expand(values({1, 1, 1}, 2), {4, 3, 5});
  CHECK(all_equal(matmul(a, b), matmul(raw::clone(a), raw::clone(b))));
  const Tensor stretched = raw::expand(values({4, 1, 1}, 3), {4, 2, 3});
  CHECK(all_equal(matmul(stretched, b), matmul(raw::clone(stretched), b)));
}
