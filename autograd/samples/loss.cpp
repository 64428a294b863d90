// Samples of the losses.
#include "autograd/ops/loss.h"

#include <cmath>

#include "autograd/ops/unary.h"
#include "autograd/sample.h"

namespace weft::samples::loss_samples {
namespace {

using Inputs = std::vector<Tensor>;

/// Options whose class weights, if any, follow the logits' dtype.
struct Setting {
  double smoothing = 0;
  std::int64_t ignore_index = -100;
  bool weighted = false;
  Reduction reduction = Reduction::mean;

  CrossEntropyOptions options(const Tensor& logits) const {
    CrossEntropyOptions options{
        .label_smoothing = smoothing, .ignore_index = ignore_index, .reduction = reduction};
    if (weighted) options.class_weights = raw::cast(class_weights(logits.size(-1)), logits.dtype());
    return options;
  }
  static Tensor class_weights(std::int64_t classes) { return values({classes}, 9, 0.5, 2); }
};

std::vector<double> cross_entropy_of(const Setting& s, const Inputs& in) {
  const std::vector<double> x = flat(in[0]), targets = flat(in[1]);
  const std::size_t classes = static_cast<std::size_t>(in[0].size(-1));
  const std::vector<double> weights =
      s.weighted ? flat(Setting::class_weights(in[0].size(-1))) : std::vector<double>(classes, 1.0);
  std::vector<double> losses;
  double total = 0, divisor = 0;
  for (std::size_t row = 0; row < targets.size(); ++row) {
    losses.push_back(0);
    if (targets[row] == static_cast<double>(s.ignore_index)) continue;
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(x[row * classes + c]);
    for (std::size_t c = 0; c < classes; ++c) {
      const double share = s.smoothing / static_cast<double>(classes) +
                           (static_cast<double>(c) == targets[row] ? 1 - s.smoothing : 0.0);
      losses.back() -= share * weights[c] * (x[row * classes + c] - std::log(sum));
    }
    total += losses.back();
    divisor += weights[static_cast<std::size_t>(targets[row])];
  }
  if (s.reduction == Reduction::none) return losses;
  return {s.reduction == Reduction::sum ? total : divisor == 0 ? 0.0 : total / divisor};
}

Case cross_entropy_case(std::string label, const Shape& shape, const Setting& s, int ignored = 0) {
  const Tensor targets =
      ids(Shape(shape.begin(), shape.end() - 1), std::max<std::int64_t>(shape.back(), 1), 2);
  for (std::int64_t i = 0; i < std::min<std::int64_t>(ignored, targets.numel()); ++i)
    targets.data<std::int64_t>()[i] = s.ignore_index;
  return {.label = std::move(label),
          .inputs = {values(shape, 1, -3, 3), targets},
          .call = [=](const Inputs& in) { return cross_entropy(in[0], in[1], s.options(in[0])); },
          .reference = [=](const Inputs& in) { return cross_entropy_of(s, in); }};
}

Benchmark cross_entropy_benchmark(const char* label, std::int64_t rows, std::int64_t classes) {
  const double n = static_cast<double>(rows * classes);
  return {
      label,
      [=] {
        return Inputs{raw::cast(values({rows, classes}, 1), DType::f32), ids({rows}, classes, 2)};
      },
      [](const Inputs& in) { return cross_entropy(in[0], in[1]); }, 4 * n, 4 * n};
}

Sample cross_entropy_sample() {
  Sample sample{.name = "cross_entropy"};
  sample.cases = {
      cross_entropy_case("rows", {4, 5}, {}),
      cross_entropy_case("batch and time", {2, 3, 37}, {}),
      cross_entropy_case("one row", {6}, {}),
      cross_entropy_case("smoothing", {4, 5}, {.smoothing = 0.1}),
      cross_entropy_case("smoothing alone", {4, 5}, {.smoothing = 1}),
      cross_entropy_case("weights", {4, 5}, {.weighted = true}),
      cross_entropy_case("smoothing and weights", {4, 19}, {.smoothing = 0.2, .weighted = true}, 1),
      cross_entropy_case("ignored", {5, 3}, {}, 2),
      cross_entropy_case("ignored class", {5, 3}, {.ignore_index = 1}, 2),
      cross_entropy_case("all ignored", {3, 4}, {.smoothing = 0.1}, 3),
      cross_entropy_case("sum", {4, 5}, {.weighted = true, .reduction = Reduction::sum}),
      cross_entropy_case("none", {2, 2, 5}, {.smoothing = 0.1, .reduction = Reduction::none}, 1),
      cross_entropy_case("no rows", {0, 4}, {})};
  const auto call = [](const Shape& logits, const Tensor& targets,
                       const CrossEntropyOptions& options) {
    cross_entropy(Tensor::zeros(logits), targets, options);
  };
  const Tensor two = Tensor::from<std::int64_t>({0, 2}, {2});
  sample.errors = {
      {"class",
       [=] {
         call({2, 2}, two, {});
       },
       "[cross_entropy] target 2 at position 1 is not a class: there are 2 classes, and "
       "ignore_index is -100"},
      {"negative",
       [=] {
         call({1, 2}, Tensor::from<std::int64_t>({-1}, {1}), {});
       },
       "[cross_entropy] target -1 at position 0 is not a class: there are 2 classes, and "
       "ignore_index is -100"},
      {"shape",
       [=] {
         call({3, 4}, two, {});
       },
       "[cross_entropy] targets must have the shape of logits without its last dimension: logits "
       "(3, 4), targets (2,)"},
      {"scalar", [=] { call({}, two, {}); },
       "[cross_entropy] logits must have a last dimension of classes: logits ()"},
      {"smoothing",
       [=] {
         call({2, 4}, two, {.label_smoothing = 1.5});
       },
       "[cross_entropy] label_smoothing must be in [0, 1], got 1.5"},
      {"weights",
       [=] {
         call({2, 4}, two, {.class_weights = Tensor::zeros({3})});
       },
       "[cross_entropy] class_weights must be (4,), got (3,)"},
      {"weights dtype",
       [=] {
         call({2, 4}, two, {.class_weights = Tensor::zeros({4}, DType::f64)});
       },
       "[cross_entropy] class_weights must have the dtype of the logits, f32, got f64"},
      {"target dtype",
       [=] {
         call({2, 4}, Tensor::zeros({2}), {});
       },
       "[cross_entropy] expects targets as i32 or i64, got f32"}};
  sample.benchmarks = {cross_entropy_benchmark("GPT (768, 65)", 768, 65),
                       cross_entropy_benchmark("(512, 50000)", 512, 50000)};
  return sample;
}

/// A loss of two equal shapes, by its value at one pair of elements.
using Pair = std::function<double(double x, double t)>;
using Loss = std::function<Tensor(const Tensor&, const Tensor&, Reduction)>;

Case pair_case(std::string label, const Loss& loss, const Pair& pair, const Shape& shape,
               Reduction reduction, double low, double high, bool batchmean = false) {
  return {.label = std::move(label),
          .inputs = {values(shape, 1, -2, 2), values(shape, 2, low, high)},
          .call = [=](const Inputs& in) { return loss(in[0], in[1], reduction); },
          .reference =
              [=](const Inputs& in) {
                const std::vector<double> x = flat(in[0]), t = flat(in[1]);
                std::vector<double> losses;
                double total = 0;
                for (std::size_t i = 0; i < x.size(); ++i)
                  total += losses.emplace_back(pair(x[i], t[i]));
                if (reduction == Reduction::none) return losses;
                const double count =
                    static_cast<double>(x.size()) /
                    (batchmean && in[0].rank() > 0 ? static_cast<double>(in[0].size(-1)) : 1.0);
                return std::vector<double>{reduction == Reduction::sum ? total : total / count};
              }};
}

Sample pair_sample(const char* name, const Loss& loss, const Pair& pair, double low, double high,
                   bool batchmean = false) {
  Sample sample{.name = name};
  sample.cases = {pair_case("mean", loss, pair, {3, 4}, Reduction::mean, low, high, batchmean),
                  pair_case("sum", loss, pair, {2, 3}, Reduction::sum, low, high),
                  pair_case("none", loss, pair, {2, 2, 3}, Reduction::none, low, high),
                  pair_case("scalar", loss, pair, {}, Reduction::mean, low, high, batchmean),
                  pair_case("nothing to sum", loss, pair, {0, 3}, Reduction::sum, low, high)};
  const std::string prefix = std::string("[") + name + "] ";
  sample.errors = {
      {"shape",
       [=] {
         loss(Tensor::zeros({2, 3}), Tensor::zeros({3}), Reduction::mean);
       },
       prefix + "shapes must be equal: x (2, 3), target (3,)"},
      {"mixed", [=] { loss(Tensor::zeros({2}), Tensor::zeros({2}, DType::f64), Reduction::mean); },
       prefix + "operands of different dtypes: x f32, target f64; cast one"},
      {"integers",
       [=] {
         loss(Tensor::zeros({2}, DType::i32), Tensor::zeros({2}, DType::i32), Reduction::mean);
       },
       prefix + "expects f32 or f64, got i32"}};
  sample.benchmarks = {{"(768, 128)",
                        [=] {
                          return Inputs{raw::cast(values({768, 128}, 1), DType::f32),
                                        raw::cast(values({768, 128}, 2, low, high), DType::f32)};
                        },
                        [=](const Inputs& in) { return loss(in[0], in[1], Reduction::mean); },
                        3.0 * 768 * 128, 8.0 * 768 * 128}};
  return sample;
}

Sample bce_sample() {
  const auto value = [](double weight) {
    return [=](double x, double t) {
      return weight * t * std::log1p(std::exp(-x)) + (1 - t) * std::log1p(std::exp(x));
    };
  };
  const auto weighted = [](const Tensor& x, const Tensor& t, Reduction r) {
    return bce_with_logits(x, t, r, 2.5);
  };
  Sample sample = pair_sample(
      "bce_with_logits",
      [](const Tensor& x, const Tensor& t, Reduction r) { return bce_with_logits(x, t, r); },
      value(1), 0, 1);
  sample.cases.push_back(
      pair_case("positive weight", weighted, value(2.5), {3, 3}, Reduction::mean, 0, 1));
  sample.errors.push_back(
      {"pos_weight",
       [] { bce_with_logits(Tensor::zeros({2}), Tensor::zeros({2}), Reduction::mean, -1); },
       "[bce_with_logits] pos_weight must be finite and 0 or more, got -1"});
  return sample;
}

Sample smooth_l1_sample() {
  const auto with_beta = [](double beta) -> Loss {
    return [=](const Tensor& x, const Tensor& t, Reduction r) {
      return smooth_l1_loss(x, t, beta, r);
    };
  };
  const auto value = [](double beta) -> Pair {
    return [=](double x, double t) {
      const double d = std::abs(x - t);
      return d < beta ? d * d / (2 * beta) : d - beta / 2;
    };
  };
  Sample sample = pair_sample("smooth_l1_loss", with_beta(1), value(1), -2, 2);
  sample.cases.push_back(
      pair_case("beta", with_beta(0.3), value(0.3), {3, 5}, Reduction::mean, -2, 2));
  sample.errors.push_back({"beta",
                           [] { smooth_l1_loss(Tensor::zeros({2}), Tensor::zeros({2}), 0); },
                           "[smooth_l1_loss] beta must be finite and above 0, got 0"});
  return sample;
}

Sample kl_div_sample() {
  const Pair value = [](double log_q, double t) {
    return t == 0 ? 0.0 : t * (std::log(t) - log_q);
  };
  const Loss loss = [](const Tensor& log_q, const Tensor& t, Reduction r) {
    return kl_div(log_q, t, r);
  };
  Sample sample = pair_sample("kl_div", loss, value, 0.05, 1, true);
  Case zeros = pair_case("targets of 0", loss, value, {3, 4}, Reduction::mean, 0.05, 1, true);
  for (std::int64_t i = 0; i < 12; i += 5) zeros.inputs[1].data<double>()[i] = 0;
  zeros.without_grad = {1};  // its slope at 0 is infinite
  sample.cases.push_back(std::move(zeros));
  return sample;
}

const Register cross_entropy_register("cross_entropy", Kind::op, cross_entropy_sample);
const Register bce_register("bce_with_logits", Kind::op, bce_sample);
const Register mse_register("mse_loss", Kind::op, [] {
  return pair_sample(
      "mse_loss", [](const Tensor& x, const Tensor& t, Reduction r) { return mse_loss(x, t, r); },
      [](double x, double t) { return (x - t) * (x - t); }, -2, 2);
});
const Register l1_register("l1_loss", Kind::op, [] {
  return pair_sample(
      "l1_loss", [](const Tensor& x, const Tensor& t, Reduction r) { return l1_loss(x, t, r); },
      [](double x, double t) { return std::abs(x - t); }, -2, 2);
});
const Register smooth_l1_register("smooth_l1_loss", Kind::op, smooth_l1_sample);
const Register kl_div_register("kl_div", Kind::op, kl_div_sample);

}  // namespace
}  // namespace weft::samples::loss_samples
