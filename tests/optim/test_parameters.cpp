// Which tensors optimizers, averages and clipping take, what of them is remembered, and what a
// module may do to them meanwhile.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "core/random.h"
#include "nn/batch_norm.h"
#include "nn/child.h"
#include "nn/linear.h"
#include "optim/adam.h"
#include "optim/clip_grad.h"
#include "optim/ema.h"
#include "optim/lion.h"
#include "optim/muon.h"
#include "optim/sgd.h"

namespace weft {
namespace {

using optim::NamedTensors;
using Make = std::function<std::unique_ptr<optim::Optimizer>(const NamedTensors&)>;

Tensor leaf(const Shape& shape, double value = 1) {
  return Tensor::full(shape, value).set_requires_grad();
}

/// Matrices go to Muon itself, the rest to its AdamW.
std::unique_ptr<optim::Optimizer> make_muon(const NamedTensors& parameters) {
  std::vector<optim::MuonMatrix> matrices;
  NamedTensors rest;
  for (const auto& [name, tensor] : parameters) {
    if (tensor.rank() >= 2)
      matrices.push_back({name, tensor, 1});
    else
      rest.emplace_back(name, tensor);
  }
  return std::make_unique<optim::Muon>(matrices, rest);
}

const std::map<std::string, Make>& makers() {
  static const std::map<std::string, Make> kMakers = {
      {"sgd", [](const NamedTensors& p) { return std::make_unique<optim::Sgd>(p); }},
      {"momentum",
       [](const NamedTensors& p) {
         return std::make_unique<optim::Sgd>(p, optim::SgdOptions{.momentum = 0.9});
       }},
      {"adam", [](const NamedTensors& p) { return std::make_unique<optim::Adam>(p); }},
      {"adamw", [](const NamedTensors& p) { return std::make_unique<optim::AdamW>(p); }},
      {"lion", [](const NamedTensors& p) { return std::make_unique<optim::Lion>(p); }},
      {"muon", make_muon}};
  return kMakers;
}

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// What an optimizer takes, the average and clipping take too.
std::map<std::string, std::function<void(const NamedTensors&)>> takers() {
  std::map<std::string, std::function<void(const NamedTensors&)>> all;
  for (const auto& [kind, make] : makers()) all[kind] = [make](const NamedTensors& p) { make(p); };
  all["ema"] = [](const NamedTensors& p) { optim::Ema(p, 0.9); };
  all["clip_grad_norm"] = [](const NamedTensors& p) { optim::clip_grad_norm(p, 1); };
  all["grad_norm"] = [](const NamedTensors& p) { optim::grad_norm(p); };
  return all;
}

/// A module with what optimizers must notice: a weight under two names, and running statistics.
struct Tied : nn::Module {
  Tied() : Module("Tied") {}
  nn::Child<nn::Linear> first{*this, "first", 2, 2};
  nn::Child<nn::BatchNorm2d> norm{*this, "norm", 2};
  nn::Parameter again{*this, "again", first->weight};
};

}  // namespace

TEST_CASE("a tensor that is there twice, by any name or view, is refused by all") {
  const Tensor w = leaf({4, 4}), b = leaf({4});
  const Tensor view = raw::slice(w, 0, 1, 3), upper = raw::slice(w, 0, 0, 2),
               lower = raw::slice(w, 0, 2, 4);
  for (const Tensor& part : {view, upper, lower}) part.set_requires_grad();
  for (const auto& [who, take] : takers()) {
    CAPTURE(who);
    for (const Tensor& other : {w, w.detach(), view}) {
      const std::string text = message([&] { take({{"w", w}, {"b", b}, {"v", other}}); });
      CHECK(text.find("] `w` and `v` share memory: one tensor under two names") !=
            std::string::npos);
    }
    CHECK(message([&] {
            take({{"w", w}, {"w", b}});
          }).find("] the name `w` was given twice") != std::string::npos);
    CHECK(message([&] {
            take({{"b", b}, {"upper", upper}, {"lower", lower}});
          }) == "nothing was thrown");
  }
  CHECK(message([&] {
          optim::Sgd(std::vector<Tensor>{w, w});
        }).starts_with("[optimizer] `0` and `1` share memory"));
  CHECK(message([&] {
          optim::Ema({{"w", w}}, 0.9, {{"w2", w}});
        }).starts_with("[ema] `w` and `w2` share memory"));
}

TEST_CASE("the result of an op is refused by all: changing it trains nothing") {
  const Tensor w = leaf({2, 2}), twice = mul(w, 2.0), b = leaf({2});
  for (const auto& [who, take] : takers()) {
    CAPTURE(who);
    CHECK(message([&] {
            take({{"b", b}, {"w", twice}});
          }).find("] `w` is the result of op `mul`, not a leaf") != std::string::npos);
  }
}

TEST_CASE("frozen parameters stay, and an optimizer of nothing but these says so") {
  for (const auto& [kind, make] : makers()) {
    CAPTURE(kind);
    const NamedTensors p = {{"w", leaf({2, 2})}, {"b", Tensor::ones({2})}};
    const auto optimizer = make(p);
    sum(mul(p[0].second, add(p[0].second, p[1].second))).backward();
    optimizer->step();
    CHECK(p[0].second.at({0, 0}) != 1);
    CHECK(p[1].second.at({0}) == 1);
    const auto idle = make({{"w", Tensor::ones({2, 2})}, {"b", Tensor::ones({2})}});
    CHECK(message([&] {
            idle->step();
          }).starts_with("[optimizer] none of its 2 parameters (`w`, ...) requires a gradient"));
  }
}

TEST_CASE(
    "a module that is converted or given another tensor is noticed; one that loads weights is "
    "trained on") {
  for (const auto& [kind, make] : makers()) {
    CAPTURE(kind);
    Tied model;
    const auto step = [&](optim::Optimizer& optimizer) {
      optimizer.zero_grad();
      for (const auto& [name, tensor] : model.named_parameters())
        tensor.set_grad(Tensor::ones(tensor.shape(), tensor.dtype()));
      optimizer.step();
    };
    const auto optimizer = make(model.named_parameters());
    optim::Ema average(model.named_parameters(), 0.9, model.named_buffers());
    step(*optimizer);

    NamedTensors state;  // copied into the tensors that are there
    for (const auto& [name, tensor] : model.state_dict())
      state.emplace_back(name, Tensor::full(tensor.shape(), 3));
    model.load_state_dict(state);
    step(*optimizer);
    CHECK(model.first->weight->at({0, 0}) != 3);
    CHECK(message([&] { average.update(); }) == "nothing was thrown");

    const Tensor before = model.first->weight, other = leaf({2, 2}, 5);
    model.set_parameter("first.weight", other);
    CHECK(message([&] {
            optimizer->step();
          }).starts_with("[optimizer] `first.weight` is no longer part of its module"));
    CHECK(message([&] {
            average.update();
          }).starts_with("[ema] `first.weight` is no longer part of its module"));
    model.set_parameter("first.weight", before);  // back: all is as it was
    CHECK(message([&] { step(*optimizer); }) == "nothing was thrown");

    model.to(DType::f64);
    CHECK(message([&] {
            step(*optimizer);
          }).find("(to() or set_parameter()): make the optimizer after that") != std::string::npos);
    CHECK(message([&] { average.swap(); }).find("make the ema after that") != std::string::npos);
    const auto fresh = make(model.named_parameters());
    const double value = model.first->weight->at({0, 0});
    step(*fresh);
    CHECK(model.first->weight->at({0, 0}) != value);
  }
}

TEST_CASE("a weight under two names is trained once") {
  Tied model;
  optim::Sgd optimizer(model.named_parameters(), {.lr = 1});
  model.first->weight->fill(2);
  model.first->weight->set_grad(Tensor::ones({2, 2}));
  optimizer.step();
  CHECK(model.again->at({1, 1}) == 1);
}

TEST_CASE("a first gradient that comes late moves a parameter as a first step does") {
  for (const char* kind : {"adam", "adamw", "muon"}) {
    CAPTURE(kind);
    const NamedTensors p = {{"b", leaf({3}, 0)}, {"late", leaf({3}, 0)}};
    std::unique_ptr<optim::Optimizer> optimizer =
        std::make_unique<optim::Adam>(p, optim::AdamOptions{.lr = 0.1});
    if (kind == std::string("adamw"))
      optimizer = std::make_unique<optim::AdamW>(p, optim::AdamWOptions{.lr = 0.1});
    if (kind == std::string("muon"))
      optimizer =
          std::make_unique<optim::Muon>(std::vector<optim::MuonMatrix>{}, p, optim::MuonOptions{},
                                        optim::AdamWOptions{.lr = 0.1});
    for (int i = 0; i < 1000; ++i) {
      p[0].second.set_grad(Tensor::ones({3}));
      optimizer->step();
    }
    p[1].second.set_grad(Tensor::ones({3}));
    optimizer->step();
    CHECK(p[1].second.at({0}) == doctest::Approx(-0.1).epsilon(1e-5));  // it was -0.25
    CHECK(optimizer->steps() == 1001);
    std::map<std::string, double> counts;
    for (const auto& [name, tensor] : optimizer->state())
      if (name.starts_with("step.")) counts[name] = tensor.item();
    CHECK(counts == std::map<std::string, double>{{"step.b", 1001}, {"step.late", 1}});
  }
}

TEST_CASE("a state without counts is one of an older program: its one count is everybody's") {
  const auto parameters = [] { return NamedTensors{{"w", leaf({2, 2})}, {"b", leaf({2})}}; };
  const auto gradients = [](const NamedTensors& p, double value) {
    for (const auto& [name, tensor] : p) tensor.set_grad(Tensor::full(tensor.shape(), value));
  };
  for (const char* kind : {"adam", "adamw", "muon"}) {
    CAPTURE(kind);
    const NamedTensors p = parameters(), q = parameters();
    const auto whole = makers().at(kind)(p), resumed = makers().at(kind)(q);
    for (int i = 1; i <= 5; ++i) gradients(p, i), whole->step();
    std::map<std::string, Tensor> saved, old;
    for (const auto& [name, tensor] : whole->state()) {
      saved[name] = raw::clone(tensor);
      if (!name.starts_with("step.")) old[name] = saved[name];
    }
    REQUIRE(old.size() < saved.size());
    for (std::size_t i = 0; i < p.size(); ++i) q[i].second.copy_from(p[i].second);
    resumed->load_state(old, 5);
    gradients(p, 2), gradients(q, 2);
    whole->step(), resumed->step();
    for (std::size_t i = 0; i < p.size(); ++i)
      CHECK(p[i].second.to_vector<float>() == q[i].second.to_vector<float>());

    std::map<std::string, Tensor> half = saved;
    half.erase("step.b");
    half["step.other"] = Tensor::scalar(5, DType::i64);
    CHECK(message([&] {
            resumed->load_state(half, 5);
          }).starts_with("[optimizer] the saved state has no `step.b`"));
    saved["step.b"] = Tensor::scalar(-3, DType::i64);
    CHECK(message([&] { resumed->load_state(saved, 5); }) ==
          "[optimizer] saved state `step.b` counts -3 steps");
  }
}

TEST_CASE(
    "the average takes running statistics along, leaves constants to the bit and integers alone") {
  nn::BatchNorm2d norm(2);
  norm.running_mean.get().zero();
  const Tensor table = Tensor::full({3}, 0.1), positions = Tensor::arange(3);
  NamedTensors buffers = norm.named_buffers();
  buffers.emplace_back("table", table);
  buffers.emplace_back("positions", positions);
  optim::Ema average(norm.named_parameters(), 0.9, buffers);
  double expected = 0;
  for (int t = 1; t <= 30; ++t) {
    norm.running_mean.get().fill(t);
    average.update();
    const double decay = std::min(0.9, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * t;
  }
  average.swap();
  CHECK(norm.running_mean.get().at({1}) == doctest::Approx(expected).epsilon(1e-5));
  CHECK(table.to_vector<float>() == std::vector<float>(3, 0.1F));
  average.swap();
  CHECK(norm.running_mean.get().at({1}) == 30);
  std::map<std::string, Tensor> saved;
  for (const auto& [name, tensor] : average.state()) saved[name] = tensor;
  CHECK(saved.contains("ema.running_var"));
  CHECK(!saved.contains("ema.positions"));
  saved["ema.running_var"] = Tensor::zeros({3});
  CHECK(message([&] { average.load_state(saved, 3); }) ==
        "[ema] saved state `ema.running_var` is (3,) f32, this model expects (2,) f32");
}

}  // namespace weft
