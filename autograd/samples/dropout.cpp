#include "autograd/ops/dropout.h"

#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"
#include "autograd/samples/case_helpers.h"

namespace weft::samples::dropout_samples {
namespace {

/// Every call draws from a stream of its own, so that the same inputs give the same mask.
GradFunction dropping(double p, bool training = true) {
  return [=](const Inputs& in) {
    Generator generator(7, "dropout");
    return dropout(in[0], p, training, generator);
  };
}

/// Word i of the stream decides on element i.
Reference dropped(double p) {
  return [p](const Inputs& in) {
    const Generator generator(7, "dropout");
    std::vector<double> x = flat(in[0]);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double uniform = generator.block(i / 4)[i % 4] * 0x1p-32;
      x[i] = uniform >= p ? x[i] / (1 - p) : 0;
    }
    return x;
  };
}

Sample make_dropout() {
  Sample s{"dropout", Kind::op, {}, {}, {}, {}};
  const Reference same = [](const Inputs& in) { return flat(in[0]); };
  s.cases = {
      make_case("a quarter", {values({4, 9}, 1)}, dropping(0.25), dropped(0.25)),
      make_case("most", {values({2, 3, 7}, 2)}, dropping(0.9), dropped(0.9)),
      make_case("longer than a piece", {values({3, 700}, 3)}, dropping(0.5), dropped(0.5)),
      make_case(
          "a transposed view", {values({4, 4}, 4)},
          [](const Inputs& in) { return transpose(dropping(0.5)({transpose(in[0], 0, 1)}), 0, 1); },
          [](const Inputs& in) {
            const Tensor turned = raw::contiguous(raw::transpose(in[0], 0, 1));
            return flat(raw::transpose(Tensor::from<double>(dropped(0.5)({turned}), {4, 4}), 0, 1));
          }),
      make_case("none", {values({3, 4}, 5)}, dropping(0), same),
      make_case("not training", {values({3, 4}, 6)}, dropping(0.5, false), same),
      make_case("a scalar", {values({}, 7)}, dropping(0.5), dropped(0.5)),
      make_case("empty", {values({0, 3}, 8)}, dropping(0.5), dropped(0.5)),
  };
  s.cases[2].check.max_elements = 100;
  s.errors = {
      {"all", [] { dropping(1)({values({2}, 1)}); },
       "[dropout] expects a probability 0 <= p < 1, got 1"},
      {"negative", [] { dropping(-0.5)({values({2}, 1)}); },
       "[dropout] expects a probability 0 <= p < 1, got -0.5"},
      {"NaN", [] { dropping(std::numeric_limits<double>::quiet_NaN())({values({2}, 1)}); },
       "[dropout] expects a probability 0 <= p < 1, got nan"},
      {"integers", [] { dropping(0.5)({Tensor::arange(3)}); },
       "[dropout] expects f32 or f64, got i64"},
  };
  s.benchmarks = {
      {"(512, 2048)", f32_inputs({{512, 2048}}), dropping(0.2), 512.0 * 2048, 8.0 * 512 * 2048}};
  return s;
}

const Register registered("dropout", Kind::op, make_dropout);

}  // namespace
}  // namespace weft::samples::dropout_samples
