// Numerically sound: every op's f32 result is as near the exact one as promised, large and broken
// numbers are met as f64 meets them, and a training in f32 goes where the same training in f64
// goes.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "core/random.h"
#include "nn/models/gpt.h"
#include "optim/adam.h"
#include "tests/cli/run_program.h"

using namespace weft;
using test::TempFolder;
using test::weft_with;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kNumbersColumns = 48;

struct RowOp {
  std::string name;
  std::function<Tensor(const Tensor& x, const Tensor& other)>
      op;  ///< other: as x, of the same dtype
};

Tensor class_ids(std::int64_t rows) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < rows; ++i) ids.push_back(i * 5 % kNumbersColumns);
  return Tensor::from(ids, {rows});
}

const std::vector<RowOp>& row_ops() {
  static const std::vector<RowOp> list = {
      {"sum", [](const Tensor& x, const Tensor&) { return sum(x, {1}); }},
      {"mean", [](const Tensor& x, const Tensor&) { return mean(x, {1}); }},
      {"sum of columns", [](const Tensor& x, const Tensor&) { return sum(x, {0}); }},
      {"var", [](const Tensor& x, const Tensor&) { return var(x, {1}); }},
      {"max", [](const Tensor& x, const Tensor&) { return max(x, {1}); }},
      {"min", [](const Tensor& x, const Tensor&) { return min(x, {1}); }},
      {"max of columns", [](const Tensor& x, const Tensor&) { return max(x, {0}); }},
      {"cumsum", [](const Tensor& x, const Tensor&) { return cumsum(x, 1); }},
      {"logsumexp", [](const Tensor& x, const Tensor&) { return logsumexp(x, {1}); }},
      {"logsumexp of columns", [](const Tensor& x, const Tensor&) { return logsumexp(x, {0}); }},
      {"softmax", [](const Tensor& x, const Tensor&) { return softmax(x); }},
      {"softmax of columns", [](const Tensor& x, const Tensor&) { return softmax(x, 0); }},
      {"log_softmax", [](const Tensor& x, const Tensor&) { return log_softmax(x); }},
      {"batch_norm", [](const Tensor& x, const Tensor&) { return batch_norm(x); }},
      {"layer_norm", [](const Tensor& x, const Tensor&) { return layer_norm(x); }},
      {"rms_norm", [](const Tensor& x, const Tensor&) { return rms_norm(x); }},
      {"cross_entropy",
       [](const Tensor& x, const Tensor&) {
         return cross_entropy(x, class_ids(x.size(0)), {.reduction = Reduction::none});
       }},
      {"cross_entropy, smoothed",
       [](const Tensor& x, const Tensor&) {
         return cross_entropy(x, class_ids(x.size(0)),
                              {.label_smoothing = 0.1, .reduction = Reduction::none});
       }},
      {"bce_with_logits",
       [](const Tensor& x, const Tensor&) {
         return bce_with_logits(
             x, raw::cast(greater(x, Tensor::full(x.shape(), 0.5, x.dtype())), x.dtype()),
             Reduction::none, 3);
       }},
      {"mse_loss",
       [](const Tensor& x, const Tensor& t) { return mse_loss(x, t, Reduction::none); }},
      {"l1_loss", [](const Tensor& x, const Tensor& t) { return l1_loss(x, t, Reduction::none); }},
      {"smooth_l1_loss",
       [](const Tensor& x, const Tensor& t) { return smooth_l1_loss(x, t, 1, Reduction::none); }},
      {"kl_div",
       [](const Tensor& x, const Tensor& t) {
         return kl_div(log_softmax(x), softmax(t), Reduction::none);
       }},
  };
  return list;
}

Tensor rows_of(std::int64_t rows,
               const std::function<float(std::int64_t row, std::int64_t column)>& f) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < kNumbersColumns; ++j) values.push_back(f(i, j));
  return Tensor::from(values, {rows, kNumbersColumns});
}

}  // namespace

TEST_CASE("every op's error in units in the last place, over all floats, is what is promised") {
  const TempFolder folder;
  const auto table = weft_with(folder, {"bench", "ulps", "--stride", "20011", "--json"});
  REQUIRE_MESSAGE(table.code == 0, table.out);
  const auto json = nlohmann::json::parse(table.out);
  CHECK(json["elements"].size() >= 29);
  for (const auto& row : json["arrays"]) {
    CAPTURE(row.dump());
    REQUIRE(row["value_ulp"].is_number());
    if (row["op"] != "sum")
      CHECK(row["value_ulp"].get<double>() <
            100);  // a million numbers of either sign leave next to nothing to compare with
    if (row["gradient_ulp"].is_number()) CHECK(row["gradient_ulp"].get<double>() < 1000);
  }
  CHECK(weft_with(folder, {"bench", "ulps", "no-such-op"}).code == 2);
}

TEST_CASE("reductions, softmax, norms and losses are finite and right at 10,000 and -10,000") {
  Generator random(7, "numbers");
  const auto uniform = [&](double scale) {
    return static_cast<float>((2 * random.next_uniform() - 1) * scale);
  };
  std::vector<std::pair<std::string, Tensor>> inputs;
  inputs.emplace_back("anywhere up to 1e4", rows_of(9, [&](auto, auto) { return uniform(1e4); }));
  inputs.emplace_back("1e4 and -1e4", rows_of(9, [&](auto i, auto j) {
                        return (i * 7 + j * 3) % 5 < 2 ? 1e4f : -1e4f;
                      }));
  inputs.emplace_back("all 1e4", rows_of(3, [&](auto, auto) { return 1e4f; }));
  inputs.emplace_back("all -1e4", rows_of(3, [&](auto, auto) { return -1e4f; }));
  inputs.emplace_back("near 1e4", rows_of(9, [&](auto, auto) { return 1e4f + uniform(1); }));
  for (const auto& [what, x] : inputs) {
    const Tensor other = rows_of(x.size(0), [&](auto, auto) { return uniform(1e4); });
    for (const RowOp& f : row_ops()) {
      INFO(f.name);
      INFO(what);
      const auto run = [&](DType dtype) {
        const Tensor a = raw::clone(raw::cast(x, dtype)), b = raw::clone(raw::cast(other, dtype));
        a.set_requires_grad();
        const Tensor y = f.op(a, b);
        return std::pair(y.to_vector<double>(),
                         grad({y}, {a}, {raw::cast(samples::values(y.shape(), 3), dtype)})[0]
                             .to_vector<double>());
      };
      const auto [value, gradient] = run(DType::f32);
      const auto [exact, exact_gradient] = run(DType::f64);
      // Near 1e4 floats are a thousandth apart, and so much is not known: of a difference of two
      // such numbers, and of a logarithm beside one.
      const bool rough = what == "near 1e4" || f.name.starts_with("log") ||
                         f.name.starts_with("cross") || f.name == "kl_div";
      const auto check = [](const std::vector<double>& got, const std::vector<double>& wanted,
                            double tolerance) {
        double scale = 1e-3, error = 0;
        for (const double w : wanted) scale = std::max(scale, std::abs(w));
        for (std::size_t i = 0; i < got.size(); ++i) {
          CHECK(std::isfinite(got[i]));
          error = std::max(error, std::abs(got[i] - wanted[i]));
        }
        CHECK_MESSAGE(error <= tolerance * scale, "off by ", error / scale, " of the largest");
      };
      check(value, exact, rough ? 1e-3 : 2e-6);
      check(gradient, exact_gradient, rough ? 1e-3 : 2e-4);
    }
  }
}

TEST_CASE(
    "infinities and NaN come through reductions, softmax, norms and losses as they do in f64") {
  const std::vector<std::vector<float>> broken = {{kNaN},        {kInf},       {-kInf},
                                                  {kInf, -kInf}, {kInf, kNaN}, {-kInf, kNaN}};
  for (const RowOp& f : row_ops()) {
    for (std::size_t kind = 0; kind < broken.size(); ++kind) {
      for (const std::int64_t where : {0, 5, 31, 47}) {  // the first, within a vector, the last
        INFO(f.name);
        CAPTURE(kind);
        CAPTURE(where);
        const Tensor x = rows_of(3, [&](auto i, auto j) {
          const auto k = static_cast<std::size_t>((j - where + kNumbersColumns) % kNumbersColumns);
          return i == 1 && k < broken[kind].size() ? broken[kind][k]
                                                   : static_cast<float>(j % 7) * 0.25f;
        });
        const Tensor other =
            rows_of(3, [&](auto, auto j) { return static_cast<float>(j % 5) * 0.25f; });
        const auto value = f.op(x, other).to_vector<double>();
        const auto exact =
            f.op(raw::cast(x, DType::f64), raw::cast(other, DType::f64)).to_vector<double>();
        for (std::size_t i = 0; i < value.size(); ++i) {
          if (!std::isfinite(exact[i]))
            CHECK_MESSAGE((std::isnan(exact[i]) ? std::isnan(value[i]) : value[i] == exact[i]),
                          value[i], " instead of ", exact[i], " at ", i);
          else if (std::abs(exact[i]) < 1e30)
            CHECK_MESSAGE(std::abs(value[i] - exact[i]) <= 1e-5 * std::max(1.0, std::abs(exact[i])),
                          value[i], " instead of ", exact[i], " at ", i);
        }
      }
    }
  }
}

TEST_CASE("two hundred steps in f32 and in f64 go the same way") {
  constexpr std::int64_t kVocabulary = 24, kContext = 16, kBatch = 8, kSteps = 200;
  const auto losses = [&](DType dtype) {
    random::seed(11);
    nn::Gpt model({.vocab_size = kVocabulary,
                   .block_size = kContext,
                   .n_layer = 2,
                   .n_head = 2,
                   .n_embd = 32});
    model.to(dtype);
    optim::AdamW optimizer(model.parameters(), {.lr = 1e-3});
    Generator random(5, "batches");
    std::vector<double> all;
    for (int step = 0; step < kSteps; ++step) {
      std::vector<std::int64_t> ids, next;
      for (std::int64_t row = 0; row < kBatch; ++row) {  // counting on in steps of 1 to 3
        const auto start = static_cast<std::int64_t>(random.next_below(kVocabulary)),
                   stride = 1 + static_cast<std::int64_t>(random.next_below(3));
        for (std::int64_t t = 0; t < kContext; ++t)
          ids.push_back((start + t * stride) % kVocabulary),
              next.push_back((start + (t + 1) * stride) % kVocabulary);
      }
      const Tensor loss = cross_entropy(model(Tensor::from(ids, {kBatch, kContext})),
                                        Tensor::from(next, {kBatch, kContext}));
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      all.push_back(loss.item());
    }
    return all;
  };
  const std::vector<double> f32 = losses(DType::f32), f64 = losses(DType::f64);
  double worst = 0;
  for (std::size_t i = 0; i < f32.size(); ++i) worst = std::max(worst, std::abs(f32[i] - f64[i]));
  MESSAGE("the loss falls from ", f64.front(), " to ", f64.back(), "; f32 is off by ", worst,
          " at most, by ", std::abs(f32.back() - f64.back()), " at the end");
  CHECK(f64.back() < 0.6 * f64.front());
  CHECK(worst < 1e-3);
}
