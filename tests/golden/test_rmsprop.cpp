// RMSprop against PyTorch's, from the same gradients.
#include "optim/rmsprop.h"
#include "tests/golden/golden.h"

namespace weft {

TEST_CASE("fifty steps of RMSprop give PyTorch's parameters") {
  const golden::Arrays arrays = golden::load("rmsprop");
  const std::map<std::string, optim::RmspropOptions> cases = {{"plain", {.lr = 0.01}},
                                                              {"centered",
                                                               {.lr = 0.01,
                                                                .alpha = 0.9,
                                                                .momentum = 0.8,
                                                                .centered = true,
                                                                .weight_decay = 0.1,
                                                                .decay = optim::Decay::all}}};
  for (const auto& [run, options] : cases)
    for (const DType dtype : {DType::f64, DType::f32}) {
      optim::NamedTensors parameters;
      for (const auto& [name, value] : golden::below(arrays, "initial/"))
        parameters.emplace_back(name, raw::clone(raw::cast(value, dtype)).set_requires_grad());
      optim::Rmsprop optimizer(parameters, options);
      CHECK(optimizer.state().size() == parameters.size() * (run == "plain" ? 1 : 3));
      for (std::int64_t step = 1; step <= 50; ++step) {
        for (const auto& [name, parameter] : parameters)
          parameter.set_grad(raw::clone(
              raw::cast(raw::reshape(raw::slice(arrays.at("gradients/" + name), 0, step - 1, step),
                                     parameter.shape()),
                        dtype)));
        optimizer.step();
        if (!arrays.contains(fmt::format("{}/step{}/w", run, step))) continue;
        for (const auto& [name, parameter] : parameters)
          golden::check_close(fmt::format("{}, step {}, {}", run, step, name), parameter,
                              arrays.at(fmt::format("{}/step{}/{}", run, step, name)),
                              golden::tolerance(dtype));
      }
    }
}

}  // namespace weft
