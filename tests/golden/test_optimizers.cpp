// Fifty steps of every optimizer against PyTorch, from the same gradients.
#include <functional>
#include <memory>

#include "optim/adam.h"
#include "optim/lion.h"
#include "optim/muon.h"
#include "optim/sgd.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

using optim::NamedTensors;
using Make = std::function<std::unique_ptr<optim::Optimizer>(const NamedTensors&)>;

std::unique_ptr<optim::Optimizer> make_muon(const NamedTensors& p) {
  std::map<std::string, Tensor> by_name(p.begin(), p.end());
  const std::vector<optim::MuonMatrix> matrices = {{"w", by_name["w"], 3},
                                                   {"tall", by_name["tall"], 1}};
  return std::make_unique<optim::Muon>(
      matrices, NamedTensors{{"b", by_name["b"]}}, optim::MuonOptions{.weight_decay = 0.05},
      optim::AdamWOptions{.lr = 3e-3, .beta2 = 0.95, .weight_decay = 0});
}

const std::map<std::string, Make>& makers() {
  static const std::map<std::string, Make> kMakers = {
      {"sgd",
       [](const NamedTensors& p) {
         return std::make_unique<optim::Sgd>(p, optim::SgdOptions{.lr = 0.02});
       }},
      {"sgd_momentum",
       [](const NamedTensors& p) {
         return std::make_unique<optim::Sgd>(p, optim::SgdOptions{.lr = 0.02, .momentum = 0.9});
       }},
      {"sgd_nesterov",
       [](const NamedTensors& p) {
         return std::make_unique<optim::Sgd>(p, optim::SgdOptions{.lr = 0.02,
                                                                  .momentum = 0.9,
                                                                  .nesterov = true,
                                                                  .weight_decay = 0.1,
                                                                  .decay = optim::Decay::all});
       }},
      {"adam",
       [](const NamedTensors& p) {
         return std::make_unique<optim::Adam>(p, optim::AdamOptions{.lr = 0.01,
                                                                    .beta1 = 0.8,
                                                                    .beta2 = 0.99,
                                                                    .weight_decay = 0.1,
                                                                    .decay = optim::Decay::all});
       }},
      {"adamw",
       [](const NamedTensors& p) {
         return std::make_unique<optim::AdamW>(
             p, optim::AdamWOptions{.lr = 0.01, .beta2 = 0.95, .weight_decay = 0.1});
       }},
      {"lion",
       [](const NamedTensors& p) {
         return std::make_unique<optim::Lion>(p,
                                              optim::LionOptions{.lr = 0.01, .weight_decay = 0.1});
       }},
      {"muon", make_muon},
  };
  return kMakers;
}

/// `late`: with the gradients that late/present/ tells of, one number a step.
void compare(const std::string& run, const Make& make, const golden::Arrays& arrays, DType dtype,
             bool late) {
  const std::string prefix = late ? "late/" : "";
  NamedTensors parameters;
  for (const auto& [name, value] : golden::below(arrays, "initial/"))
    parameters.emplace_back(name, raw::clone(raw::cast(value, dtype)).set_requires_grad());
  const auto optimizer = make(parameters);
  int compared = 0;
  for (std::int64_t step = 1; step <= 50; ++step) {
    for (const auto& [name, parameter] : parameters) {
      const Tensor gradient = raw::slice(arrays.at("gradients/" + name), 0, step - 1, step);
      const bool exists_here = !late || arrays.at("late/present/" + name).at({step - 1}) == 1;
      parameter.set_grad(
          exists_here ? raw::clone(raw::cast(raw::reshape(gradient, parameter.shape()), dtype))
                      : Tensor());
    }
    optimizer->step();
    if (!arrays.contains(fmt::format("{}{}/step{}/w", prefix, run, step))) continue;
    ++compared;
    for (const auto& [name, parameter] : parameters) {
      const std::string what =
          fmt::format("{}{} in {}, step {}, {}", prefix, run, weft::name(dtype), step, name);
      const Tensor& theirs = arrays.at(fmt::format("{}{}/step{}/{}", prefix, run, step, name));
      golden::check_close(what, parameter, theirs, golden::tolerance(dtype));
    }
  }
  CHECK(compared == (late ? 4 : 3));
}

TEST_CASE("fifty steps of every optimizer give PyTorch's parameters") {
  const golden::Arrays arrays = golden::load("optim");
  for (const auto& [run, make] : makers())
    for (const DType dtype : {DType::f64, DType::f32}) compare(run, make, arrays, dtype, false);
}

TEST_CASE("so do fifty steps in which gradients come late or go missing") {
  const golden::Arrays arrays = golden::load("optim");
  for (const auto& [run, make] : makers())
    for (const DType dtype : {DType::f64, DType::f32}) compare(run, make, arrays, dtype, true);
}

}  // namespace
}  // namespace weft
