// Convolutional networks against PyTorch: logits, gradients, five steps of SGD, and an evaluation
// by the running statistics of batch norm.
#include <memory>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "nn/models/lenet.h"
#include "nn/models/resnet.h"
#include "optim/sgd.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

std::unique_ptr<nn::Model> make_network(const std::string& name) {
  if (name == "lenet")
    return std::make_unique<nn::Lenet>(
        nn::LenetConfig{.n_class = 5, .image_height = 16, .image_width = 12, .channels = 2});
  return std::make_unique<nn::Resnet>(nn::ResnetConfig{
      .n_class = 5, .image_height = 9, .image_width = 7, .channels = 2, .width = 4, .blocks = 2});
}

void compare_network(const std::string& name, const golden::Arrays& arrays, DType dtype) {
  const std::string what = fmt::format("{} in {}", name, weft::name(dtype));
  const auto model = make_network(name);
  model->to(dtype);
  const golden::Arrays before = golden::below(arrays, "before/");
  model->load_state_dict(nn::NamedTensors(before.begin(), before.end()));
  optim::Sgd optimizer(model->named_parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 0});
  const auto losses = arrays.at("losses").to_vector<double>();
  const auto images = [&](std::int64_t step) {
    return raw::cast(select(arrays.at("x"), 0, step), dtype);
  };
  const double tolerance =
      golden::tolerance(dtype) *
      (dtype == DType::f32 ? 10 : 1);  // five steps multiply the rounding of the first
  for (std::int64_t step = 0; step < 5; ++step) {
    const Tensor logits = (*model)(images(step)),
                 loss = cross_entropy(logits, select(arrays.at("y"), 0, step));
    optimizer.zero_grad();
    loss.backward();
    CHECK_MESSAGE(std::abs(loss.item() - losses[static_cast<std::size_t>(step)]) <= tolerance,
                  what << ", step " << step << ": loss " << loss.item());
    if (step == 0) {
      golden::check_close(what + ", logits", logits, arrays.at("logits"), golden::tolerance(dtype));
      for (const auto& [key, parameter] : model->named_parameters())
        golden::check_close(what + ", gradient of " + key, parameter.grad(),
                            arrays.at("grad/" + key), golden::tolerance(dtype));
    }
    optimizer.step();
  }
  for (const auto& [key, tensor] : model->state_dict())
    golden::check_close(what + ", " + key + " after 5 steps", tensor, arrays.at("after/" + key),
                        tolerance);
  model->eval();
  golden::check_close(what + ", evaluation", (*model)(images(0)), arrays.at("evaluation"),
                      tolerance);
}

TEST_CASE("convolutional networks train as PyTorch's do") {
  const golden::Arrays arrays = golden::load("cnn");
  for (const char* name : {"lenet", "resnet"})
    for (const DType dtype : {DType::f64, DType::f32})
      compare_network(name, golden::below(arrays, std::string(name) + "/"), dtype);
}

}  // namespace
}  // namespace weft
