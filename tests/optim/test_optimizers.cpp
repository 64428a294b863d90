// What the golden files do not show: state, bad input, schedules, clipping, averages, threads.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "core/parallel.h"
#include "core/random.h"
#include "optim/adam.h"
#include "optim/clip_grad.h"
#include "optim/ema.h"
#include "optim/lion.h"
#include "optim/lr_schedule.h"
#include "optim/muon.h"
#include "optim/sgd.h"

namespace weft {
namespace {

using optim::NamedTensors;

Tensor random_tensor(const Shape& shape, const char* stream, DType dtype = DType::f32) {
  const Tensor t = Tensor::empty(shape, dtype);
  Generator(5, stream).fill_normal(t);
  return t;
}

NamedTensors some_parameters(const char* stream = "p") {
  NamedTensors parameters = {{"w", random_tensor({40, 33}, stream)},
                             {"b", random_tensor({37}, stream)}};
  for (const auto& [name, tensor] : parameters) tensor.set_requires_grad();
  return parameters;
}

std::unique_ptr<optim::Optimizer> make(const std::string& kind, const NamedTensors& p) {
  if (kind == "sgd") return std::make_unique<optim::Sgd>(p, optim::SgdOptions{.momentum = 0.9});
  if (kind == "adam") return std::make_unique<optim::Adam>(p);
  if (kind == "adamw") return std::make_unique<optim::AdamW>(p);
  if (kind == "lion") return std::make_unique<optim::Lion>(p);
  return std::make_unique<optim::Muon>(std::vector<optim::MuonMatrix>{{"w", p[0].second, 2}},
                                       NamedTensors{p[1]});
}

void step_with(optim::Optimizer& optimizer, const NamedTensors& parameters, int count) {
  for (const auto& [name, tensor] : parameters)
    tensor.set_grad(random_tensor(tensor.shape(), std::to_string(count).c_str()));
  optimizer.step();
}

template <class E>
std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_CASE("a saved state continues to the same bits") {
  for (const char* kind : {"sgd", "adam", "adamw", "lion", "muon"}) {
    const NamedTensors whole = some_parameters(), parted = some_parameters();
    const auto undisturbed = make(kind, whole);
    for (int i = 0; i < 6; ++i) step_with(*undisturbed, whole, i);
    std::map<std::string, Tensor> saved;
    {
      const auto first = make(kind, parted);
      for (int i = 0; i < 3; ++i) step_with(*first, parted, i);
      for (const auto& [name, tensor] : first->state()) saved[name] = raw::clone(tensor);
    }
    const auto second = make(kind, parted);
    second->load_state(saved, 3);
    for (int i = 3; i < 6; ++i) step_with(*second, parted, i);
    for (std::size_t i = 0; i < whole.size(); ++i)
      CHECK_MESSAGE(whole[i].second.to_vector<float>() == parted[i].second.to_vector<float>(),
                    kind);
    if (saved.empty()) continue;
    saved.erase(saved.begin());
    CHECK(error_of<ConfigError>([&] {
            second->load_state(saved, 3);
          }).find("the saved state has no `") != std::string::npos);
  }
}

TEST_CASE("the same bits for any number of threads") {
  for (const char* kind : {"sgd", "adam", "adamw", "lion", "muon"}) {
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      NamedTensors parameters = {{"w", random_tensor({300, 201}, "p")},
                                 {"b", random_tensor({37}, "p")}};
      const auto optimizer = make(kind, parameters);
      for (int i = 0; i < 2; ++i) {
        step_with(*optimizer, parameters, i);
        optim::clip_grad_norm(parameters, 0.1);
      }
      const auto values = parameters[0].second.to_vector<float>();
      if (first.empty()) first = values;
      CHECK_MESSAGE(values == first, kind << " with " << threads << " threads");
    }
    set_num_threads(2);
  }
}

TEST_CASE("every optimizer finds the bottom of a bowl") {
  for (const char* kind : {"sgd", "adam", "adamw", "lion", "muon"}) {
    NamedTensors parameters = some_parameters();
    const auto optimizer = make(kind, parameters);
    optimizer->set_lr_factor(kind == std::string("lion") ? 20 : 5);
    const auto loss_now = [&] {
      return add(sum(mul(parameters[0].second, parameters[0].second)),
                 sum(mul(parameters[1].second, parameters[1].second)));
    };
    const double before = loss_now().item();
    for (int i = 0; i < 60; ++i) {
      optimizer->zero_grad();
      loss_now().backward();
      optimizer->step();
    }
    CHECK_MESSAGE(loss_now().item() < 0.9 * before,
                  kind << " from " << before << " to " << loss_now().item());
  }
}

TEST_CASE("Newton-Schulz brings every singular value near one and keeps the directions") {
  for (const Shape& shape : {Shape{12, 30}, Shape{30, 12}, Shape{16, 16}}) {
    const Tensor m = random_tensor(shape, "m", DType::f64), o = optim::orthogonalize(m, 5);
    const std::int64_t rows = shape[0], columns = shape[1];
    // trace(o^T m) is the nuclear norm of m when o is its orthogonal factor: compare with |o|_F^2,
    // near the rank.
    double squares = 0, inner = 0;
    const auto a = m.to_vector<double>(), b = o.to_vector<double>();
    for (std::size_t i = 0; i < a.size(); ++i) squares += b[i] * b[i], inner += a[i] * b[i];
    const double rank = static_cast<double>(std::min(rows, columns));
    CHECK(squares > 0.4 * rank);
    CHECK(squares < 1.5 * rank);
    CHECK(inner > 0);
  }
  CHECK(error_of<ShapeError>([] { optim::orthogonalize(Tensor::zeros({3})); }) ==
        "[orthogonalize] expects a matrix, got (3,)");
}

TEST_CASE("weight decay leaves biases alone unless told otherwise") {
  for (const optim::Decay decay : {optim::Decay::matrices, optim::Decay::all}) {
    NamedTensors p = some_parameters();
    const auto bias = p[1].second.to_vector<float>(), weight = p[0].second.to_vector<float>();
    optim::AdamW optimizer(p, {.lr = 0.1, .weight_decay = 0.5, .decay = decay});
    for (const auto& [name, tensor] : p) tensor.set_grad(Tensor::zeros(tensor.shape()));
    optimizer.step();
    CHECK((p[1].second.to_vector<float>() == bias) == (decay == optim::Decay::matrices));
    CHECK(p[0].second.to_vector<float>()[3] == doctest::Approx(0.95 * weight[3]));
  }
}

TEST_CASE("a parameter without a gradient stays as it is") {
  NamedTensors p = some_parameters();
  const auto before = p[1].second.to_vector<float>();
  optim::AdamW optimizer(p);
  p[0].second.set_grad(random_tensor(p[0].second.shape(), "g"));
  optimizer.step();
  CHECK(p[1].second.to_vector<float>() == before);
}

TEST_CASE("impossible options are refused") {
  const NamedTensors p = some_parameters();
  CHECK(error_of<ConfigError>([&] { optim::AdamW(p, {.lr = NAN}); }) ==
        "[adamw] lr must be a finite number of at least 0, got nan");
  CHECK(error_of<ConfigError>([&] {
          optim::Adam(p, {.beta1 = 1.5});
        }).starts_with("[adam] beta1 must be between 0 and"));
  CHECK(error_of<ConfigError>([&] { optim::Sgd(p, {.nesterov = true}); }) ==
        "[sgd] nesterov expects a momentum above 0");
  CHECK(error_of<ConfigError>([&] { optim::Sgd(NamedTensors{}); }) ==
        "[optimizer] no parameters to optimize");
  CHECK(error_of<ConfigError>([&] {
          optim::Sgd(NamedTensors{p[0], p[0]});
        }) == "[optimizer] the name `w` was given twice");
  CHECK(error_of<ConfigError>([&] {
          optim::Muon({{"b", p[1].second}}, {});
        }) == "[muon] `b` (37,) is not a matrix; give it to the rest");
  CHECK(error_of<ConfigError>([&] {
          optim::Muon({{"w", p[0].second, 3}}, {});
        }) == "[muon] `w` (40, 33) cannot be split into 3 blocks of rows");
  CHECK(error_of<ConfigError>([&] {
          optim::clip_grad_norm(p, 0);
        }).starts_with("[clip_grad_norm] max_norm must be"));
  CHECK(error_of<ConfigError>([&] {
          optim::Ema(p, 1);
        }).starts_with("[ema] decay must be between 0 and"));
}

TEST_CASE("schedules") {
  using optim::LrSchedule;
  using optim::ScheduleKind;
  const LrSchedule cosine{
      .kind = ScheduleKind::cosine, .steps = 1000, .warmup = 100, .min_factor = 0.1};
  CHECK(cosine.factor(0) == doctest::Approx(1.0 / 101));
  CHECK(cosine.factor(99) == doctest::Approx(100.0 / 101));
  CHECK(cosine.factor(100) == doctest::Approx(1));
  CHECK(cosine.factor(550) == doctest::Approx(0.55));
  CHECK(cosine.factor(1000) == doctest::Approx(0.1));
  CHECK(cosine.factor(5000) == doctest::Approx(0.1));
  const LrSchedule linear{.kind = ScheduleKind::linear, .steps = 100};
  CHECK(linear.factor(25) == doctest::Approx(0.75));
  CHECK(linear.factor(100) == doctest::Approx(0));
  const LrSchedule wsd{.kind = ScheduleKind::wsd, .steps = 100, .decay_fraction = 0.6};
  CHECK(wsd.factor(39) == 1);
  CHECK(wsd.factor(70) == doctest::Approx(0.5));
  CHECK(wsd.factor(100) == doctest::Approx(0));
  CHECK(LrSchedule{.kind = ScheduleKind::constant, .steps = 10}.factor(9) == 1);
  CHECK(error_of<ConfigError>([] { LrSchedule{.steps = 0}.validate(); }) ==
        "[schedule] steps must be at least 1, got 0");
  CHECK(error_of<ConfigError>([] { LrSchedule{.steps = 5, .warmup = 9}.validate(); }) ==
        "[schedule] warmup must be between 0 and the 5 steps of the run, got 9");
  CHECK(error_of<ConfigError>([] { optim::schedule_from_name("cosin"); }) ==
        "[schedule] unknown schedule `cosin`; choose constant, linear, cosine or wsd");
}

TEST_CASE("clipping scales to the norm asked for, and leaves what is below it or not finite") {
  NamedTensors p = some_parameters();
  for (const auto& [name, tensor] : p) tensor.set_grad(random_tensor(tensor.shape(), "g"));
  double squares = 0;
  for (const auto& [name, tensor] : p)
    for (const double v : tensor.grad().to_vector<double>()) squares += v * v;
  CHECK(optim::clip_grad_norm(p, 1e9) == doctest::Approx(std::sqrt(squares)));
  CHECK(optim::grad_norm(p) == doctest::Approx(std::sqrt(squares)));
  optim::clip_grad_norm(p, 2.5);
  CHECK(optim::grad_norm(p) == doctest::Approx(2.5).epsilon(1e-5));
  p[1].second.grad().fill(std::numeric_limits<double>::infinity());
  const auto before = p[0].second.grad().to_vector<float>();
  CHECK(std::isinf(optim::clip_grad_norm(p, 1)));
  CHECK(p[0].second.grad().to_vector<float>() == before);
}

TEST_CASE("the moving average follows the weights and swaps back to the bit") {
  NamedTensors p = {{"x", Tensor::zeros({3})}};
  optim::Ema ema(p, 0.9);
  double expected = 0;
  for (int t = 1; t <= 50; ++t) {
    p[0].second.fill(t);
    ema.update();
    const double decay = std::min(0.9, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * t;
  }
  ema.swap();
  CHECK(p[0].second.at({1}) == doctest::Approx(expected).epsilon(1e-5));
  CHECK(error_of<Error>([&] { ema.update(); }).starts_with("[ema] update() while the averages"));
  ema.swap();
  CHECK(p[0].second.at({1}) == 50);
}

}  // namespace
}  // namespace weft
