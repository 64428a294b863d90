// Elements that are changed in place are counted, and backward refuses to run on others than an op
// saved.
#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "core/kernels/optimizer.h"
#include "core/random.h"
#include "nn/batch_norm.h"
#include "nn/linear.h"
#include "optim/adam.h"
#include "optim/clip_grad.h"
#include "optim/ema.h"
#include "optim/lion.h"
#include "optim/muon.h"
#include "optim/sgd.h"
#include "tests/autograd/leaf.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;
using weft::test::leaf;

namespace {

const std::string kMend =
    "; run backward() before the change (an optimizer's step() is one), run the forward again "
    "after it, or give the op a copy";

}  // namespace

TEST_CASE("a saved tensor that is changed before backward is an error, not a wrong gradient") {
  const Tensor x = leaf({1, 2, 3}, {3}), y = sum(square(x));
  raw::slice(x.detach(), 0, 0, 1)
      .fill(10);  // a view's change counts for all that share the storage
  CHECK(error_text<GraphError>([&] { y.backward(); }) ==
        "[square] a tensor f64 (3,) that the op saved for its backward was changed in place since: "
        "version 1 now, 0 then" +
            kMend);
}

TEST_CASE("so is an op's own output") {
  const Tensor x = leaf({1, 2}, {2}), y = exp(x), loss = sum(y);
  y.fill(0);
  CHECK(error_text<GraphError>([&] { loss.backward(); }) ==
        "[exp] a tensor f64 (2,) that the op saved for its backward was changed in place since: "
        "version 1 now, 0 then" +
            kMend);
}

TEST_CASE("what no rule reads may be changed") {
  const Tensor x = leaf({1, 2}, {2}), y = sum(x + 1.0);
  x.fill(7);
  y.backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{1, 1});
}

TEST_CASE("a step between two backward passes through one graph is an error") {
  const auto refuses = [](auto make) {
    const Tensor w = leaf({1, 2, 3, 4}, {2, 2}), x = leaf({1, -1}, {1, 2});
    const auto optimizer = make(w);
    const Tensor loss = sum(square(matmul(x, w)));
    loss.backward({}, true);
    optimizer->step();
    CHECK(error_text<GraphError>([&] { loss.backward(); }) ==
          "[matmul] a tensor f64 (2, 2) that the op saved for its backward was changed in place "
          "since: version 1 now, 0 then" +
              kMend);
  };
  refuses([](const Tensor& w) {
    return std::make_unique<optim::Sgd>(optim::with_names({w}), optim::SgdOptions{.lr = 0.1});
  });
  refuses([](const Tensor& w) {
    return std::make_unique<optim::Adam>(optim::with_names({w}), optim::AdamOptions{});
  });
  refuses([](const Tensor& w) {
    return std::make_unique<optim::AdamW>(optim::with_names({w}), optim::AdamWOptions{});
  });
  refuses([](const Tensor& w) {
    return std::make_unique<optim::Lion>(optim::with_names({w}), optim::LionOptions{});
  });
  refuses([](const Tensor& w) {
    return std::make_unique<optim::Muon>(std::vector<optim::MuonMatrix>{{"w", w}},
                                         optim::NamedTensors{}, optim::MuonOptions{});
  });
}

TEST_CASE("whatever writes in place counts") {
  const Tensor t = Tensor::zeros({4}), other = Tensor::ones({4});
  std::uint64_t last = t.version();
  const auto counts = [&](const char* what, auto&& write) {
    write();
    CHECK_MESSAGE(t.version() > last, what);
    last = t.version();
  };
  counts("fill", [&] { t.fill(1); });
  counts("zero", [&] { t.zero(); });
  counts("copy_from", [&] { t.copy_from(other); });
  counts("copy_from into a view", [&] { raw::slice(t, 0, 1, 3).copy_from(Tensor::zeros({2})); });
  counts("add_scaled", [&] { raw::add_scaled(t, other); });
  counts("scale", [&] { kernels::scale(t, 0.5); });
  counts("lerp", [&] { kernels::lerp(t, other, 0.5); });
  Generator generator(1, "init");
  counts("fill_uniform", [&] { generator.fill_uniform(t); });
  counts("fill_normal", [&] { generator.fill_normal(t); });
  counts("fill_normal of a view", [&] { generator.fill_normal(t.as_strided({2}, {2})); });
  optim::Ema ema(optim::with_names({t}), 0.5);
  counts("a swap of averages", [&] { ema.swap(); });
  t.set_grad(Tensor::ones({4}));
  const Tensor gradient = t.grad();
  const std::uint64_t before = gradient.version();
  optim::clip_grad_norm(optim::with_names({t}), 0.1);
  CHECK(gradient.version() > before);
}

TEST_CASE("statistics that a module moves on and weights that are loaded count") {
  nn::BatchNorm2d norm(3);
  const std::uint64_t mean = norm.running_mean.get().version(),
                      variance = norm.running_var.get().version(), weight = norm.weight->version();
  norm(raw::reshape(Tensor::arange(24, DType::f32), {2, 3, 2, 2}));
  CHECK(norm.running_mean.get().version() > mean);
  CHECK(norm.running_var.get().version() > variance);
  norm.load_state_dict(nn::BatchNorm2d(3).state_dict());
  CHECK(norm.weight->version() > weight);
}

TEST_CASE("a leaf that no longer expects its gradient gets none, and the others get theirs") {
  const Tensor a = leaf(2), b = leaf(3);
  int hooked = 0;
  a.register_hook([&](const Tensor&) { return ++hooked, Tensor(); });
  const Tensor product = a * b;
  a.set_requires_grad(false);
  product.backward({}, true);
  CHECK_FALSE(a.grad().defined());
  CHECK(hooked == 0);
  CHECK(b.grad().item() == 2);
  CHECK(error_text<GraphError>([&] { grad({product}, {a}, {}, {.retain_graph = true}); }) ==
        "[grad] input 0 does not require a gradient");
  a.set_requires_grad();
  product.backward();
  CHECK(a.grad().item() == 3);
  CHECK(b.grad().item() == 4);
}

TEST_CASE("the same for gradients of a fused op's definition") {
  const Tensor x = leaf({1, 2, 4}, {1, 3}), weight = leaf({1, 2, 3}, {3});
  const Tensor y = sum(square(layer_norm(x, weight)));
  x.set_requires_grad(false);
  y.backward({}, true, true);
  CHECK_FALSE(x.grad().defined());
  CHECK(weight.grad().defined());
  weight.zero_grad();
}
