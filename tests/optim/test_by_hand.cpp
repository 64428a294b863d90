// Adam against its formula in double: gradients so small that the eps beside the root counts, and
// an odd number of elements.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "core/tensor.h"
#include "optim/adam.h"

namespace weft {
namespace {

void check_adam_by_hand(DType dtype, bool decoupled) {
  constexpr int kElements = 13;
  const optim::AdamOptions how{.lr = 0.01,
                               .beta1 = 0.8,
                               .beta2 = 0.9,
                               .eps = 1e-6,
                               .weight_decay = decoupled ? 0.1 : 1e-7,
                               .decay = optim::Decay::all};
  const Tensor parameter = Tensor::zeros({kElements}, dtype);
  parameter.set_requires_grad();
  const optim::NamedTensors parameters{{"p", parameter}};
  std::unique_ptr<optim::Optimizer> optimizer = std::make_unique<optim::Adam>(parameters, how);
  if (decoupled)
    optimizer = std::make_unique<optim::AdamW>(
        parameters,
        optim::AdamWOptions{how.lr, how.beta1, how.beta2, how.eps, how.weight_decay, how.decay});
  std::vector<double> p(kElements, 0.0), m(kElements, 0.0), v(kElements, 0.0);
  for (int step = 1; step <= 5; ++step) {
    std::vector<double> g;
    for (int i = 0; i < kElements; ++i)
      g.push_back((i % 2 == 0 ? 1 : -0.5) * std::pow(10.0, -i) * step);
    parameter.set_grad(raw::cast(Tensor::from(g, {kElements}), dtype));
    optimizer->step();
    for (std::size_t i = 0; i < kElements; ++i) {
      const double gradient = g[i] + (decoupled ? 0 : how.weight_decay * p[i]);
      m[i] = how.beta1 * m[i] + (1 - how.beta1) * gradient;
      v[i] = how.beta2 * v[i] + (1 - how.beta2) * gradient * gradient;
      if (decoupled) p[i] -= how.lr * how.weight_decay * p[i];
      p[i] -= how.lr * (m[i] / (1 - std::pow(how.beta1, step))) /
              (std::sqrt(v[i] / (1 - std::pow(how.beta2, step))) + how.eps);
    }
  }
  const std::vector<double> found = parameter.to_vector<double>();
  for (std::size_t i = 0; i < kElements; ++i)
    CHECK(found[i] == doctest::Approx(p[i]).scale(0).epsilon(dtype == DType::f32 ? 1e-5 : 1e-12));
}

}  // namespace

TEST_CASE("Adam and AdamW are their formulas, for gradients from 1 down to nothing") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const bool decoupled : {false, true}) {
      CAPTURE(decoupled);
      check_adam_by_hand(dtype, decoupled);
    }
}

}  // namespace weft
