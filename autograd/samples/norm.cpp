// Samples of layer_norm and rms_norm.
#include "autograd/ops/norm.h"

#include <cmath>

#include "autograd/sample.h"

namespace weft::samples::norm_samples {
namespace {

using Inputs = std::vector<Tensor>;

std::vector<double> normalized(const Inputs& in, bool center, double eps) {
  std::vector<double> x = flat(in[0]);
  const std::vector<double> weight = in.size() > 1 ? flat(in[1]) : std::vector<double>(),
                            bias = in.size() > 2 ? flat(in[2]) : std::vector<double>();
  const std::size_t n = static_cast<std::size_t>(in[0].size(-1));
  for (std::size_t start = 0; n > 0 && start < x.size(); start += n) {
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < n && center; ++i) mean += x[start + i] / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i)
      square += (x[start + i] - mean) * (x[start + i] - mean) / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      double& value = x[start + i];
      value = (value - mean) / std::sqrt(square + eps);
      if (!weight.empty()) value *= weight[i];
      if (!bias.empty()) value += bias[i];
    }
  }
  return x;
}

Case norm_case(std::string label, bool center, const Shape& shape, int parameters, double eps) {
  Inputs inputs{values(shape, 1, -2, 2)};
  if (parameters > 0) inputs.push_back(values({shape.back()}, 2, 0.5, 1.5));
  if (parameters > 1) inputs.push_back(values({shape.back()}, 3));
  return {.label = std::move(label),
          .inputs = std::move(inputs),
          .call =
              [=](const Inputs& in) {
                const Tensor weight = in.size() > 1 ? in[1] : Tensor();
                return center ? layer_norm(in[0], weight, in.size() > 2 ? in[2] : Tensor(), eps)
                              : rms_norm(in[0], weight, eps);
              },
          .reference = [=](const Inputs& in) { return normalized(in, center, eps); }};
}

Sample make(const char* name, bool center) {
  const int all = center ? 2 : 1;
  const double eps = center ? 1e-5 : 1e-6;
  Sample sample{.name = name};
  sample.cases = {norm_case("weighted", center, {3, 5}, all, eps),
                  norm_case("plain", center, {2, 6}, 0, eps),
                  norm_case("deep", center, {2, 2, 4}, all, eps),
                  norm_case("vector", center, {7}, all, eps),
                  norm_case("longer than vectors", center, {2, 37}, all, eps),
                  norm_case("eps", center, {3, 4}, all, 0.5),
                  norm_case("no rows", center, {0, 4}, all, eps),
                  norm_case("no columns", center, {3, 0}, all, eps)};
  if (center) sample.cases.push_back(norm_case("weight alone", center, {3, 4}, 1, eps));
  const std::string prefix = std::string("[") + name + "] ";
  const auto call = [=](const Tensor& x, const Tensor& weight, double with_eps) {
    return center ? layer_norm(x, weight, Tensor(), with_eps) : rms_norm(x, weight, with_eps);
  };
  sample.errors = {{"scalar", [=] { call(Tensor::zeros({}), Tensor(), 1e-5); },
                    prefix + "x must have a last dimension: x ()"},
                   {"weight",
                    [=] {
                      call(Tensor::zeros({2, 4}), Tensor::zeros({3}), 1e-5);
                    },
                    prefix + "weight must be (4,): x (2, 4), weight (3,)"},
                   {"eps",
                    [=] {
                      call(Tensor::zeros({2, 4}), Tensor(), -1);
                    },
                    prefix + "eps must be 0 or more, got -1"},
                   {"mixed",
                    [=] {
                      call(Tensor::zeros({2, 4}), Tensor::zeros({4}, DType::f64), 1e-5);
                    },
                    prefix + "operands of different dtypes: x f32, weight f64; cast one"},
                   {"integers",
                    [=] {
                      call(Tensor::zeros({2, 4}, DType::i32), Tensor(), 1e-5);
                    },
                    prefix + "expects f32 or f64, got i32"}};
  for (const Shape& shape : {Shape{768, 128}, Shape{6400, 64}})
    sample.benchmarks.push_back(
        {shape.str(),
         [=] {
           Inputs inputs{raw::cast(values(shape, 1), DType::f32), Tensor::ones({shape.back()})};
           if (center) inputs.push_back(Tensor::zeros({shape.back()}));
           return inputs;
         },
         sample.cases[0].call, 8.0 * static_cast<double>(shape.numel()),
         8.0 * static_cast<double>(shape.numel())});
  return sample;
}

const Register layer_norm_register("layer_norm", Kind::op, [] { return make("layer_norm", true); });
const Register rms_norm_register("rms_norm", Kind::op, [] { return make("rms_norm", false); });

}  // namespace
}  // namespace weft::samples::norm_samples
