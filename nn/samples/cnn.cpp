// Samples of batch norm's module and of the convolutional networks that are made with or without
// it.
#include <cmath>

#include "nn/batch_norm.h"
#include "nn/models/lenet.h"
#include "nn/models/resnet.h"
#include "nn/samples/module_case.h"

namespace weft::samples::nn_cnn_samples {
namespace {

using namespace nn;

Case batch_norm_case(const char* label, bool training) {
  const auto module = std::make_shared<BatchNorm2d>(2);
  module->train(training);
  module->running_mean.get().fill(0.25);
  module->running_var.get().fill(2);
  return module_case(
      label, module, values({3, 2, 2, 2}, 1, -2, 2), [=](const std::vector<Tensor>& t) {
        std::vector<double> x = flat(t[0]);
        for (std::size_t c = 0; c < 2; ++c) {
          double mean = 0.25, variance = 2;
          const auto at = [&](std::size_t i) -> double& { return x[(i / 4 * 2 + c) * 4 + i % 4]; };
          if (training) {
            mean = variance = 0;
            for (std::size_t i = 0; i < 12; ++i) mean += at(i) / 12;
            for (std::size_t i = 0; i < 12; ++i) variance += (at(i) - mean) * (at(i) - mean) / 12;
          }
          for (std::size_t i = 0; i < 12; ++i)
            at(i) = (at(i) - mean) / std::sqrt(variance + 1e-5) * flat(t[1])[c] + flat(t[2])[c];
        }
        return x;
      });
}

const Register batch_norm_module("BatchNorm2d", Kind::module, [] {
  Sample sample{.name = "BatchNorm2d", .kind = Kind::module};
  sample.cases = {batch_norm_case("training", true), batch_norm_case("evaluation", false)};
  sample.errors = {
      {"channels",
       [] {
         BatchNorm2d(3).forward(Tensor::zeros({2, 4, 5, 5}));
       },
       "[BatchNorm2d] expects images (B, 3, H, W), got (2, 4, 5, 5)"},
      {"none", [] { BatchNorm2d(0); }, "[BatchNorm2d] channels must be at least 1, got 0"}};
  return sample;
});

Case block_case(const char* label, std::int64_t in, std::int64_t out, std::int64_t stride) {
  Case result =
      module_case(label, std::make_shared<BasicBlock>(in, out, stride), values({2, in, 4, 5}, 1));
  result.check.max_elements = 12;
  result.f32_tolerance = 5e-4;
  return result;
}

const Register basic_block("BasicBlock", Kind::module, [] {
  Sample sample{.name = "BasicBlock", .kind = Kind::module};
  sample.cases = {block_case("identity", 2, 2, 1), block_case("half the size", 2, 3, 2)};
  sample.errors = {
      {"channels",
       [] {
         BasicBlock(2, 2, 1).forward(Tensor::zeros({1, 3, 4, 4}));
       },
       "[conv2d] weight (2, 2, 3, 3) expects 2 channels per group, x (1, 3, 4, 4) has 3"}};
  return sample;
});

template <class M, class C>
Case network_case(const char* label, const C& config, const Shape& input, bool training = true) {
  const auto model = std::make_shared<M>(config);
  model->train(training);
  Case result = module_case(label, model, values(input, 1));
  result.check.max_elements = 6;
  result.f32_tolerance = 1e-3;
  return result;
}

const Register lenet("Lenet", Kind::model, [] {
  Sample sample{.name = "Lenet", .kind = Kind::model};
  sample.cases = {network_case<Lenet>(
      "two channels",
      LenetConfig{.n_class = 3, .image_height = 12, .image_width = 13, .channels = 2},
      {2, 2, 12, 13})};
  sample.errors = {
      {"small", [] { Lenet({.image_height = 11}); },
       "[lenet] images must be at least 12 x 12 for two convolutions and poolings, got 11 x 28"},
      {"input",
       [] {
         Lenet({}).forward(Tensor::zeros({2, 1, 28, 27}));
       },
       "[lenet] expects images (B, 1, 28, 28), got (2, 1, 28, 27)"}};
  return sample;
});

const Register resnet("Resnet", Kind::model, [] {
  Sample sample{.name = "Resnet", .kind = Kind::model};
  const ResnetConfig config{
      .n_class = 3, .image_height = 6, .image_width = 5, .channels = 2, .width = 3, .blocks = 1};
  sample.cases = {network_case<Resnet>("training", config, {3, 2, 6, 5}),
                  network_case<Resnet>("evaluation", config, {2, 2, 6, 5}, false)};
  sample.errors = {
      {"width", [] { Resnet({.width = 0}); }, "[resnet] width must be 1 to 262144, got 0"},
      {"input",
       [] {
         Resnet({}).forward(Tensor::zeros({2, 3, 28, 28}));
       },
       "[resnet] expects images (B, 1, 28, 28), got (2, 3, 28, 28)"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_cnn_samples
