// Samples of rope.
#include "autograd/ops/rope.h"

#include <cmath>

#include "autograd/sample.h"

namespace weft::samples::rope_samples {
namespace {

/// Pair (i, D/2 + i) as a complex number times e^(i angle).
Reference reference(std::int64_t first, double base) {
  return [=](const std::vector<Tensor>& inputs) {
    const std::vector<double> x = flat(inputs[0]);
    const std::int64_t size = inputs[0].size(-1), positions = inputs[0].size(-2), half = size / 2;
    std::vector<double> out(x.size());
    for (std::size_t row = 0; size > 0 && row < x.size() / static_cast<std::size_t>(size); ++row)
      for (std::int64_t i = 0; i < half; ++i) {
        const auto position =
            static_cast<double>(first + static_cast<std::int64_t>(row) % positions);
        const double angle =
            position * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(size));
        const std::size_t a = row * static_cast<std::size_t>(size) + static_cast<std::size_t>(i),
                          b = a + static_cast<std::size_t>(half);
        out[a] = x[a] * std::cos(angle) - x[b] * std::sin(angle);
        out[b] = x[b] * std::cos(angle) + x[a] * std::sin(angle);
      }
    return out;
  };
}

Case rope_case(std::string label, const Shape& shape, std::int64_t first, double base) {
  return {.label = std::move(label),
          .inputs = {values(shape, 1)},
          .call = [=](const std::vector<Tensor>& in) { return rope(in[0], first, base); },
          .reference = reference(first, base)};
}

Sample make() {
  Sample sample{.name = "rope"};
  sample.cases = {rope_case("heads", {2, 3, 5, 8}, 0, 10000),
                  rope_case("later positions", {2, 4, 6}, 7, 10000),
                  rope_case("base", {3, 22}, 100, 50),
                  rope_case("wide", {2, 70}, 1, 10000),
                  rope_case("no positions", {2, 0, 4}, 0, 10000),
                  rope_case("no features", {2, 3, 0}, 0, 10000)};
  sample.errors = {{"odd",
                    [] {
                      rope(Tensor::zeros({2, 3}));
                    },
                    "[rope] expects (..., T, D) with an even D, got (2, 3)"},
                   {"rank", [] { rope(Tensor::zeros({4})); },
                    "[rope] expects (..., T, D) with an even D, got (4,)"},
                   {"position",
                    [] {
                      rope(Tensor::zeros({2, 4}), -1);
                    },
                    "[rope] positions must lie in 0 .. 16777216, got -1 to 0"},
                   {"base",
                    [] {
                      rope(Tensor::zeros({2, 4}), 0, 0);
                    },
                    "[rope] base must be finite and above 0, got 0"},
                   {"dtype",
                    [] {
                      rope(Tensor::zeros({2, 4}, DType::i64));
                    },
                    "[rope] expects f32 or f64, got i64"}};
  sample.benchmarks = {
      {"(12, 4, 64, 32)",
       [] {
         return std::vector<Tensor>{raw::cast(values({12, 4, 64, 32}, 1), DType::f32)};
       },
       [](const std::vector<Tensor>& in) { return rope(in[0]); }, 3.0 * 12 * 4 * 64 * 32,
       8.0 * 12 * 4 * 64 * 32}};
  return sample;
}

const Register rope_sample("rope", Kind::op, make);

}  // namespace
}  // namespace weft::samples::rope_samples
