// Samples of dice.
#include "autograd/ops/dice.h"

#include <cmath>

#include "autograd/samples/case_helpers.h"

namespace weft::samples::dice_samples {
namespace {

/// inputs: x, alpha.
Reference dice_reference(bool training, const Tensor& mean, const Tensor& variance, double eps) {
  return [=](const Inputs& in) {
    std::vector<double> x = flat(in[0]);
    const auto rows = in[0].size(0), channels = in[0].size(1);
    for (std::int64_t c = 0; c < channels; ++c) {
      double center = 0, square = 0;
      const auto each = [&](auto f) {
        for (std::int64_t r = 0; r < rows; ++r) f(x[static_cast<std::size_t>(r * channels + c)]);
      };
      each([&](double v) { center += v / static_cast<double>(rows); });
      each([&](double v) { square += (v - center) * (v - center) / static_cast<double>(rows); });
      if (!training) {
        center = mean.at({c});
        square = variance.at({c});
      }
      const double alpha = in[1].at({c});
      each([&](double& v) {
        const double p = 1 / (1 + std::exp(-(v - center) / std::sqrt(square + eps)));
        v = p * v + (1 - p) * alpha * v;
      });
    }
    return x;
  };
}

Case dice_case(const char* label, const Shape& shape, bool training = true, double eps = 1e-8) {
  const Tensor mean = values({shape[1]}, 4), variance = values({shape[1]}, 5, 0.5, 2);
  return make_case(
      label, {values(shape, 1, -2, 2), values({shape[1]}, 2, -0.5, 1)},
      [=](const Inputs& in) {
        DiceOptions options{.training = training, .eps = eps};
        options.running_mean = raw::clone(raw::cast(mean, in[0].dtype()));
        options.running_var = raw::clone(raw::cast(variance, in[0].dtype()));
        return dice(in[0], in[1], options);
      },
      dice_reference(training, mean, variance, eps));
}

Sample make_dice() {
  Sample sample{.name = "dice"};
  sample.cases = {dice_case("rows", {5, 3}),
                  dice_case("columns longer than vectors", {6, 19}),
                  dice_case("whole vectors", {7, 16}),
                  dice_case("eps", {4, 2}, true, 0.5),
                  dice_case("evaluation", {4, 5}, false),
                  dice_case("evaluation of one row", {1, 9}, false),
                  dice_case("evaluation of nothing", {0, 3}, false),
                  dice_case("no channels", {3, 0})};
  const auto call = [](const Shape& x, const Tensor& alpha, const DiceOptions& options) {
    return [=] { dice(Tensor::zeros(x), alpha, options); };
  };
  sample.errors = {
      {"rank", call({2, 3, 4}, Tensor::zeros({3}), {}),
       "[dice] x must be (N, channels): x (2, 3, 4)"},
      {"rows", call({0, 3}, Tensor::zeros({3}), {}),
       "[dice] a training batch needs at least one row: got (0, 3)"},
      {"alpha", call({2, 3}, Tensor::zeros({4}), {}),
       "[dice] alpha must be (3,): x (2, 3), alpha (4,)"},
      {"mixed", call({2, 3}, Tensor::zeros({3}, DType::f64), {}),
       "[dice] operands of different dtypes: x f32, alpha f64; cast one"},
      {"statistics", call({2, 3}, Tensor::zeros({3}), {.training = false}),
       "[dice] without training it needs running_mean and running_var"},
      {"eps", call({2, 3}, Tensor::zeros({3}), {.eps = 0}), "[dice] eps must be above 0, got 0"},
      {"momentum", call({2, 3}, Tensor::zeros({3}), {.momentum = 1.5}),
       "[dice] momentum must be in [0, 1], got 1.5"},
      {"integers",
       [] {
         dice(Tensor::zeros({2, 3}, DType::i32), Tensor::zeros({3}));
       },
       "[dice] expects f32 or f64, got i32"}};
  for (const Shape& shape : {Shape{2048, 36}, Shape{65536, 36}}) {
    const double n = static_cast<double>(shape.numel());
    sample.benchmarks.push_back({shape.str(), f32_inputs({shape, {shape[1]}}),
                                 [](const Inputs& in) { return dice(in[0], in[1]); }, 20 * n,
                                 16 * n});
  }
  return sample;
}

const Register dice_register("dice", Kind::op, make_dice);

}  // namespace
}  // namespace weft::samples::dice_samples
