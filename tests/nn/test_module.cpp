// The tree of parameters: names, ties, state dicts, dtypes.
#include <doctest/doctest.h>

#include <set>

#include "autograd/ops.h"
#include "nn/nn.h"
#include "tests/nn/nn_test.h"

using namespace weft;
using namespace weft::nn;

namespace {

struct Pair : Module {
  Pair() : Module("Pair") {}
  Parameter a{*this, "a", {2, 3}, init::constant(1)};
  Child<Linear> inner{*this, "inner", 3, 2};
  Parameter b{*this, "b", {2}, init::zeros()};
  Parameter none{*this, "none", {2}, init::zeros(), false};
  Parameter also_a{*this, "also_a", a};
  Buffer table{*this, "table", Tensor::arange(3, DType::i64), true};
  Buffer scratch{*this, "scratch", Tensor::ones({2})};
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : tensors) result.push_back(name);
  return result;
}

}  // namespace

TEST_CASE("names are dotted paths in order of declaration; a tied weight counts once") {
  Pair pair;
  CHECK(names(pair.named_parameters()) ==
        std::vector<std::string>{"a", "inner.weight", "inner.bias", "b"});
  CHECK(names(pair.named_buffers()) == std::vector<std::string>{"table", "scratch"});
  CHECK(names(pair.state_dict()) ==
        std::vector<std::string>{"a", "inner.weight", "inner.bias", "b", "table"});
  CHECK(pair.num_parameters() == 6 + 6 + 2 + 2);
  CHECK(pair.also_a.is_tied_to(pair.a));
  CHECK(pair.named_modules().size() == 2);
  CHECK(pair.named_modules()[1].first == "inner");
  CHECK_FALSE(pair.none.defined());
  for (const Tensor& parameter : pair.parameters()) CHECK(parameter.requires_grad());
}

TEST_CASE("a name that is taken, dotted or empty is refused") {
  struct Twice : Module {
    Twice() : Module("Twice") {}
    Parameter a{*this, "a", {2}, init::zeros()};
    Child<Linear> again{*this, "a", 2, 2};
  };
  struct Dotted : Module {
    Dotted() : Module("Dotted") {}
    Parameter a{*this, "a.b", {2}, init::zeros()};
  };
  struct Empty : Module {
    Empty() : Module("Empty") {}
    Parameter a{*this, "", {2}, init::zeros()};
  };
  CHECK(message([] { Twice(); }) == "[Twice] the name `a` is taken");
  CHECK(message([] { Dotted(); }) ==
        "[Dotted] the name `a.b` holds a dot; dots join the names of modules into paths");
  CHECK(message([] { Empty(); }) == "[Empty] a member's name is empty");
}

TEST_CASE("a state dict goes out and in again") {
  random::seed(1);
  const GptConfig config{.vocab_size = 11, .block_size = 8, .n_layer = 2, .n_head = 2, .n_embd = 8};
  Gpt from(config), to(config);
  const Tensor ids = Tensor::from({1, 2, 3, 10}, {1, 4});
  CHECK(from(ids).to_vector<float>() != to(ids).to_vector<float>());
  const LoadReport report = to.load_state_dict(from.state_dict());
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(from(ids).to_vector<float>() == to(ids).to_vector<float>());
  for (const auto& [name, tensor] : from.state_dict()) CHECK_FALSE(tensor.requires_grad());
}

TEST_CASE("a state dict in another dtype is converted") {
  Linear from(3, 2), to(3, 2);
  from.to(DType::f64);
  CHECK(from.dtype() == DType::f64);
  CHECK(from.weight->requires_grad());
  to.load_state_dict(from.state_dict());
  CHECK(to.dtype() == DType::f32);
  CHECK(to.weight->to_vector<double>() == from.weight->to_vector<double>());
}

TEST_CASE("what does not fit is named, and nothing is changed") {
  Pair pair;
  NamedTensors state;
  for (const auto& [name, tensor] : pair.state_dict()) state.emplace_back(name, raw::clone(tensor));
  state[0].second.fill(7);
  state[1] = {"inner.weight", Tensor::zeros({3, 2})};
  state[3] = {"c", Tensor::zeros({2})};
  CHECK(
      message([&] { pair.load_state_dict(state); }) ==
      "[load_state_dict] the weights do not fit this Pair: inner.weight has shape (3, 2), expected "
      "(2, 3); missing: b; unexpected: c");
  CHECK(pair.a->at({0, 0}) == 1);
  CHECK(
      message([&] { pair.load_state_dict(state, false); }) ==
      "[load_state_dict] the weights do not fit this Pair: inner.weight has shape (3, 2), expected "
      "(2, 3)");
  state[1].second = Tensor::zeros({2, 3});
  const LoadReport report = pair.load_state_dict(state, false);
  CHECK(report.missing == std::vector<std::string>{"b"});
  CHECK(report.unexpected == std::vector<std::string>{"c"});
  CHECK(pair.a->at({0, 0}) == 7);
}

TEST_CASE("a tied weight may come under either name, or both when they agree") {
  const GptConfig config{.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_head = 2, .n_embd = 4};
  Gpt model(config);
  NamedTensors state = model.state_dict();
  CHECK(state.front().first == "transformer.wte.weight");
  const Tensor weight = Tensor::full({5, 4}, 0.5);
  state.front() = {"lm_head.weight", weight};
  model.load_state_dict(state);
  CHECK(model.state_dict().front().second.at({0, 0}) == 0.5);
  state.emplace_back("transformer.wte.weight", raw::clone(weight));
  CHECK(model.load_state_dict(state).missing.empty());
  state.back().second.fill(1);
  CHECK(message([&] { model.load_state_dict(state); }) ==
        "[load_state_dict] the weights do not fit this Gpt: transformer.wte.weight and "
        "lm_head.weight are one weight here, and differ");
}

TEST_CASE("a tied weight's gradient is the sum of both uses") {
  random::seed(3);
  Gpt tied({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_head = 2, .n_embd = 4});
  Gpt untied({.vocab_size = 5,
              .block_size = 4,
              .n_layer = 1,
              .n_head = 2,
              .n_embd = 4,
              .tie_weights = false});
  NamedTensors state = tied.state_dict();
  state.emplace_back("lm_head.weight", state.front().second);
  untied.load_state_dict(state);
  const Tensor ids = Tensor::from({1, 2, 4}, {1, 3}), targets = Tensor::from({2, 4, 0}, {1, 3});
  cross_entropy(tied(ids), targets).backward();
  cross_entropy(untied(ids), targets).backward();
  const auto both = tied.parameters().front().grad().to_vector<double>();
  const auto first = untied.parameters().front().grad().to_vector<double>(),
             second = untied.parameters().back().grad().to_vector<double>();
  for (std::size_t i = 0; i < both.size(); ++i)
    CHECK(both[i] == doctest::Approx(first[i] + second[i]).epsilon(1e-4));
}

TEST_CASE("set_parameter puts a tensor in place of a weight, under any of its names") {
  Pair pair;
  const Tensor value = Tensor::full({2, 3}, 4);
  pair.set_parameter("also_a", value);
  CHECK(pair.a->at({1, 1}) == 4);
  CHECK(message([&] { pair.set_parameter("inner.nothing", value); }) ==
        "[Pair] no parameter `inner.nothing`");
  CHECK(message([&] { pair.set_parameter("b", value); }) ==
        "[parameter] a tensor (2, 3) cannot replace one (2,)");
}

TEST_CASE("training mode reaches every module; gradients are forgotten") {
  Gpt model(
      {.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_head = 2, .n_embd = 4, .dropout = 0.5});
  {
    const EvalMode eval(model);
    for (const auto& [path, module] : model.named_modules()) CHECK_FALSE(module->is_training());
  }
  for (const auto& [path, module] : model.named_modules()) CHECK(module->is_training());
  sum(model(Tensor::from({1, 2}, {1, 2}))).backward();
  CHECK(model.parameters().front().grad().defined());
  model.zero_grad();
  CHECK_FALSE(model.parameters().front().grad().defined());
  model.to(DType::f64);
  for (const Tensor& parameter : model.parameters()) CHECK(parameter.dtype() == DType::f64);
}
