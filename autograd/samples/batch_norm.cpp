// Samples of batch_norm.
#include "autograd/ops/batch_norm.h"

#include <cmath>

#include "autograd/samples/case_helpers.h"

namespace weft::samples::batch_norm_samples {
namespace {

/// inputs: x, then weight and bias if any.
Reference reference(bool training, const Tensor& mean, const Tensor& variance, double eps) {
  return [=](const Inputs& in) {
    std::vector<double> x = flat(in[0]);
    const auto batch = static_cast<std::size_t>(in[0].size(0)),
               channels = static_cast<std::size_t>(in[0].size(1));
    const std::size_t pixels = batch * channels == 0 ? 0 : x.size() / (batch * channels);
    for (std::size_t c = 0; c < channels; ++c) {
      double center = 0, square = 0;
      const auto each = [&](auto f) {
        for (std::size_t b = 0; b < batch; ++b)
          for (std::size_t p = 0; p < pixels; ++p) f(x[(b * channels + c) * pixels + p]);
      };
      const double count = static_cast<double>(batch * pixels);
      each([&](double v) { center += v / count; });
      each([&](double v) { square += (v - center) * (v - center) / count; });
      if (!training) {
        center = mean.at({static_cast<std::int64_t>(c)});
        square = variance.at({static_cast<std::int64_t>(c)});
      }
      const double weight = in.size() > 1 ? in[1].at({static_cast<std::int64_t>(c)}) : 1,
                   bias = in.size() > 2 ? in[2].at({static_cast<std::int64_t>(c)}) : 0;
      each([&](double& v) { v = (v - center) / std::sqrt(square + eps) * weight + bias; });
    }
    return x;
  };
}

Case norm_case(const char* label, const Shape& shape, int parameters, bool training = true,
               double eps = 1e-5) {
  Inputs inputs{values(shape, 1, -2, 2)};
  if (parameters > 0) inputs.push_back(values({shape[1]}, 2, 0.5, 1.5));
  if (parameters > 1) inputs.push_back(values({shape[1]}, 3));
  const Tensor mean = values({shape[1]}, 4), variance = values({shape[1]}, 5, 0.5, 2);
  return make_case(
      label, std::move(inputs),
      [=](const Inputs& in) {
        BatchNormOptions options{.training = training, .eps = eps};
        options.running_mean = raw::clone(raw::cast(mean, in[0].dtype()));
        options.running_var = raw::clone(raw::cast(variance, in[0].dtype()));
        return batch_norm(in[0], in.size() > 1 ? in[1] : Tensor(), in.size() > 2 ? in[2] : Tensor(),
                          options);
      },
      reference(training, mean, variance, eps));
}

Sample make_batch_norm() {
  Sample sample{.name = "batch_norm"};
  sample.cases = {norm_case("images", {2, 3, 2, 3}, 2),
                  norm_case("plain", {3, 2, 4}, 0),
                  norm_case("weight alone", {2, 2, 3}, 1),
                  norm_case("features", {5, 3}, 2),
                  norm_case("planes longer than vectors", {2, 2, 5, 7}, 2),
                  norm_case("eps", {2, 2, 4}, 2, true, 0.5),
                  norm_case("one image", {1, 2, 6}, 2),
                  norm_case("evaluation", {2, 3, 2, 3}, 2, false),
                  norm_case("evaluation, plain", {2, 3, 4}, 0, false),
                  norm_case("evaluation of one value", {1, 2, 1}, 2, false),
                  norm_case("evaluation of nothing", {0, 2, 3}, 2, false),
                  norm_case("no channels", {2, 0, 3}, 2)};
  const auto call = [](const Shape& x, const Tensor& weight, const BatchNormOptions& options) {
    return [=] { batch_norm(Tensor::zeros(x), weight, Tensor(), options); };
  };
  sample.errors = {
      {"rank", call({4}, Tensor(), {}), "[batch_norm] x must be (batch, channels, ...): x (4,)"},
      {"one value", call({1, 3, 1, 1}, Tensor(), {}),
       "[batch_norm] training needs at least two values of each channel: x (1, 3, 1, 1)"},
      {"weight", call({2, 3, 4}, Tensor::zeros({4}), {}),
       "[batch_norm] weight must be (3,): x (2, 3, 4), weight (4,)"},
      {"mixed", call({2, 3, 4}, Tensor::zeros({3}, DType::f64), {}),
       "[batch_norm] operands of different dtypes: x f32, weight f64; cast one"},
      {"statistics", call({2, 3, 4}, Tensor(), {.training = false}),
       "[batch_norm] without training it needs running_mean and running_var"},
      {"eps", call({2, 3, 4}, Tensor(), {.eps = 0}), "[batch_norm] eps must be above 0, got 0"},
      {"momentum", call({2, 3, 4}, Tensor(), {.momentum = 1.5}),
       "[batch_norm] momentum must be in [0, 1], got 1.5"},
      {"integers",
       [] {
         batch_norm(Tensor::zeros({2, 3, 4}, DType::i32));
       },
       "[batch_norm] expects f32 or f64, got i32"}};
  for (const Shape& shape : {Shape{128, 16, 28, 28}, Shape{128, 64, 7, 7}}) {
    const double n = static_cast<double>(shape.numel());
    sample.benchmarks.push_back({shape.str(), f32_inputs({shape, {shape[1]}, {shape[1]}}, 0.5, 1.5),
                                 [](const Inputs& in) { return batch_norm(in[0], in[1], in[2]); },
                                 6 * n, 12 * n});
  }
  return sample;
}

const Register batch_norm_register("batch_norm", Kind::op, make_batch_norm);

}  // namespace
}  // namespace weft::samples::batch_norm_samples
