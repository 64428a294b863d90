// nn::describe: products, both counts of FLOPs, the memory of a step, and what ShapeOnly refuses.
#include "nn/describe.h"

#include <doctest/doctest.h>

#include <functional>
#include <limits>

#include "autograd/autograd.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/loss.h"
#include "core/random.h"
#include "core/shape_only.h"
#include "core/storage.h"
#include "nn/backbone.h"
#include "nn/models/bag_of_words.h"
#include "nn/models/faster_rcnn.h"
#include "nn/models/gpt.h"
#include "nn/models/resnet.h"
#include "optim/adam.h"

using namespace weft;

namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

nn::GptConfig small_gpt(std::int64_t context) {
  return {.vocab_size = 11, .block_size = context, .n_layer = 2, .n_head = 2, .n_embd = 16};
}

nn::StepParts gpt_step(const nn::GptConfig& config, std::int64_t batch) {
  const auto model = std::make_shared<nn::Gpt>(config);
  return {.module = model,
          .loss =
              [=] {
                const Tensor ids = Tensor::empty({batch, config.block_size}, DType::i64);
                return cross_entropy((*model)(ids), ids);
              },
          .make_update = [model]() -> std::function<void()> {
            const auto optimizer = std::make_shared<optim::AdamW>(model->named_parameters());
            return [optimizer] { optimizer->step(); };
          }};
}

double flops_of(const std::vector<Product>& products, ProductRole role) {
  double sum = 0;
  for (const Product& product : products)
    if (product.role == role) sum += product.flops();
  return sum;
}

}  // namespace

TEST_CASE("a step's products are told by role, forward and backward") {
  const auto told = nn::describe_step([] { return gpt_step(small_gpt(8), 3); });
  const std::vector<Product> all = nn::merged(told.step.products);
  // Twelve width^2 of matrices in each of two layers, and the head: 24 rows.
  const double linear = 2 * 24.0 * (2 * 12 * 16 * 16 + 16 * 11);
  CHECK(flops_of(all, ProductRole::forward) == linear);
  CHECK(flops_of(all, ProductRole::input_gradient) == linear);
  CHECK(flops_of(all, ProductRole::weight_gradient) == linear);
  // Six sequences-and-heads a layer, products of 8 x 8 x 8: two forward, four backward.
  CHECK(flops_of(all, ProductRole::attention) == 2 * 2 * 6 * 2.0 * 8 * 8 * 8);
  CHECK(flops_of(all, ProductRole::attention_gradient) == 2 * 4 * 6 * 2.0 * 8 * 8 * 8);
  CHECK(told.step.flops == 3 * linear + 2 * 6 * 6 * 2.0 * 8 * 8 * 8);
  for (const Product& product : all)
    if (product.role == ProductRole::weight_gradient && product.m == 64)
      CHECK(product == Product{"linear", ProductRole::weight_gradient, 64, 16, 24, 2});
}

TEST_CASE("causal attention sees the blocks that are not hidden whole") {
  CHECK(causal_share(64, 64) == 1);
  CHECK(causal_share(128, 128) == 0.75);
  CHECK(causal_share(130, 130) == (64.0 * 64 + 64 * 128 + 2 * 130) / (130.0 * 130));
  CHECK(causal_share(1, 500) == 1);  // the last token sees all before it
  nn::Gpt model(small_gpt(128));
  const nn::Description info = nn::describe(model);
  const double pairs = 2 * 2 * 2 * 2.0 * 128 * 128 * 8;  // layers, heads, products
  CHECK(info.flops - info.flops_seen == 0.25 * pairs);
  double layers = 0;
  for (const nn::LayerInfo& layer : info.layers) layers += layer.flops_seen;
  CHECK(layers == info.flops_seen);
}

TEST_CASE("the memory of a step is that of the same step with elements") {
  nn::GptConfig config = small_gpt(64);
  config.n_embd = 128;
  const auto told = nn::describe_step([&] { return gpt_step(config, 12); });
  random::seed(1);
  const std::int64_t before = memory_stats().current;
  const nn::Gpt model(config);
  optim::AdamW optimizer(model.named_parameters());
  const Tensor ids = Tensor::zeros({12, 64}, DType::i64);
  for (int step = 0; step < 3; ++step) {
    if (step == 2) reset_peak_memory();
    model.zero_grad();
    cross_entropy(model(ids), ids).backward();
    optimizer.step();
  }
  const auto peak = static_cast<double>(memory_stats().peak - before);
  CHECK(told.memory.peak == doctest::Approx(peak).epsilon(0.15));  // kernels have scratch beside
  const auto parameters = static_cast<double>(4 * model.num_parameters());
  CHECK(told.memory.parameters == parameters);
  CHECK(told.memory.gradients == parameters);
  CHECK(told.memory.update == doctest::Approx(2 * parameters).epsilon(0.1));
  CHECK(told.memory.activations() > parameters);
}

TEST_CASE("a model of a trillion parameters is described in no memory") {
  const MemoryStats before = memory_stats();
  reset_peak_memory();
  const auto told = nn::describe_step([] {
    return gpt_step(
        {.vocab_size = 50257, .block_size = 8192, .n_layer = 96, .n_head = 128, .n_embd = 32768},
        512);
  });
  CHECK(memory_stats().peak == before.current);
  CHECK(told.step.parameters > 1'200'000'000'000);
  CHECK(told.memory.peak > 16.0 * 1.2e12);
}

TEST_CASE("sizes that depend on data are bounds, and said to be") {
  nn::BagOfWords bag({.vocab_size = 9, .n_class = 2});
  CHECK(nn::describe(bag).bounds ==
        std::vector<std::string>{"bag of words: all words of a text differ"});
  const auto told = nn::describe_step([] {
    const auto model = std::make_shared<nn::FasterRcnn>(
        nn::FasterRcnnConfig{},
        std::make_unique<nn::ConvBackbone>(nn::ConvBackboneConfig{.features = 16}));
    return nn::StepParts{
        .module = model,
        .loss =
            [model] {
              return model->loss(model->example_input(2), Tensor::empty({2, 3, 5}));
            },
        .make_update = {}};
  });
  REQUIRE(told.step.bounds.size() == 2);
  CHECK(told.step.bounds[0].find("64 anchors and 32 regions") != std::string::npos);
  bool has_regions = false;
  for (const Product& product : told.step.products)
    has_regions = has_regions || (product.op == "linear" && product.m == 2 * 32);
  CHECK(has_regions);
}

TEST_CASE("what has elements keeps them, and what has none cannot be read") {
  const Tensor real = Tensor::ones({3});
  Tensor shape;
  {
    const ShapeOnly shapes;
    shape = Tensor::ones({2, 3});
    CHECK(is_shape_only(shape));
    CHECK_FALSE(is_shape_only(real));
    CHECK(message_of([&] { real.fill(2); }) ==
          "[shape_only] a tensor (3,) that has elements would be changed, and nothing is computed "
          "now; make it under ShapeOnly too");
    CHECK(message_of([&] { shape.to_vector<float>(); }).find("[to_vector] a tensor (2, 3)") == 0);
    CHECK(message_of([&] { Tensor::scalar(1).item(); }).find("[item] a tensor ()") == 0);
    const nn::Resnet net(nn::ResnetConfig{.width = 4, .blocks = 1});
    CHECK(is_shape_only(net(net.example_input(2))));  // running statistics and all
  }
  CHECK(real.to_vector<float>() == std::vector<float>{1, 1, 1});
  CHECK(message_of([&] { shape.data<float>(); }).find("[data] a tensor (2, 3)") == 0);
  const nn::Resnet net(nn::ResnetConfig{.width = 4, .blocks = 1});
  const auto norms = net.named_buffers();
  const auto statistics = norms.front().second.to_vector<float>();
  {
    const ShapeOnly shapes;
    CHECK(is_shape_only(net(net.example_input(2))));
    optim::AdamW optimizer(net.named_parameters());
    net(net.example_input(2)).backward(Tensor::empty({2, 10}));
    CHECK(message_of([&] { optimizer.step(); }).find("[shape_only]") == 0);
    net.zero_grad();
  }
  CHECK(norms.front().second.to_vector<float>() == statistics);
}

TEST_CASE("ShapeOnly counts what would be held, nests, and leaves the random streams alone") {
  random::seed(7);
  random::stream("init").next_u32();
  const auto positions = random::positions();
  const double before = ShapeOnly::held();
  Tensor kept;
  {
    const ShapeOnly outer;
    {
      const ShapeOnly inner;
      random::stream("init").next_u32();
      dropout(Tensor::empty({100}), 0.5, true, random::stream("dropout"));
    }
    CHECK(shape_only());
    kept = Tensor::empty({256});
    CHECK(ShapeOnly::held() == before + 1024);
    Tensor::empty({1024});
    CHECK(ShapeOnly::peak() == before + 1024 + 4096);
  }
  CHECK_FALSE(shape_only());
  CHECK(random::positions() == positions);
  CHECK(random::current_seed() == 7);
  kept = Tensor();
  CHECK(ShapeOnly::held() == before);
}
