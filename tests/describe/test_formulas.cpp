// FLOPs by formula, as they were counted before models were asked, against what is told by the ops.
#include <doctest/doctest.h>

#include "nn/describe.h"
#include "tests/describe/formulas.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/text/text_model.h"
#include "train/tasks/vision/vision_config.h"

using namespace weft;
using namespace weft::formulas;
using nn::TokenMixer;

namespace {

template <class Model, class Config>
void check_flops(const Config& config) {
  Model model(config);
  CAPTURE(model.details());
  CHECK(nn::describe(model).flops == forward_flops(config));
  CHECK(nn::describe(model).parameters == model.num_parameters());
}

}  // namespace

TEST_CASE("FLOPs by formula are those of the calls that are made") {
  using nn::Activation;
  using nn::Positions;
  check_flops<nn::Gpt>(
      nn::GptConfig{.vocab_size = 65, .block_size = 16, .n_layer = 2, .n_head = 4, .n_embd = 32});
  check_flops<nn::Gpt>(nn::GptConfig{.vocab_size = 7,
                                     .block_size = 9,
                                     .n_layer = 3,
                                     .n_head = 4,
                                     .n_embd = 32,
                                     .bias = true,
                                     .n_kv_head = 2,
                                     .head_size = 6,
                                     .positions = Positions::rope,
                                     .activation = Activation::swiglu,
                                     .mlp_ratio = 2.5,
                                     .tie_weights = false});
  const nn::EncoderDecoderConfig both{.vocab_size = 7,
                                      .source_size = 9,
                                      .block_size = 5,
                                      .n_layer = 2,
                                      .n_head = 4,
                                      .n_embd = 32,
                                      .n_kv_head = 2};
  nn::EncoderDecoder encoder_decoder(both);
  CHECK(forward_flops(both) ==
        nn::describe(encoder_decoder, [&] {
          encoder_decoder(Tensor::zeros({1, 9}, DType::i64), Tensor::zeros({1, 5}, DType::i64));
        }).flops);
  check_flops<nn::Vit>(nn::VitConfig{});
  for (const std::string& name : nn::choices<nn::AttentionKind>()) {
    const auto attention = nn::from_name<nn::AttentionKind>(name, "attention");
    check_flops<nn::Vit>(nn::VitConfig{.attention = attention});
    if (!nn::traits(attention).causal) continue;
    check_flops<nn::Gpt>(nn::GptConfig{.vocab_size = 7,
                                       .block_size = 9,
                                       .n_layer = 2,
                                       .n_head = 4,
                                       .n_embd = 32,
                                       .n_kv_head = 2,
                                       .attention = attention});
  }
  check_flops<nn::Vit>(nn::VitConfig{.image_height = 12,
                                     .image_width = 8,
                                     .channels = 3,
                                     .n_layer = 1,
                                     .pooling = nn::Pooling::cls,
                                     .activation = Activation::swiglu});
  check_flops<nn::Mlp>(nn::MlpConfig{});
  check_flops<nn::Mlp>(nn::MlpConfig{.input_shape = Shape{5}, .hidden = {}, .n_class = 3});
  check_flops<nn::Cnn>(nn::CnnConfig{});
  check_flops<nn::Cnn>(nn::CnnConfig{.image_height = 13,
                                     .image_width = 10,
                                     .channels = 3,
                                     .widths = {4, 5},
                                     .kernel = 5,
                                     .hidden = 0});
  check_flops<nn::Lenet>(nn::LenetConfig{});
  check_flops<nn::Lenet>(
      nn::LenetConfig{.n_class = 3, .image_height = 13, .image_width = 18, .channels = 2});
  check_flops<nn::Resnet>(nn::ResnetConfig{});
  check_flops<nn::Resnet>(nn::ResnetConfig{
      .n_class = 3, .image_height = 13, .image_width = 10, .channels = 3, .width = 4, .blocks = 2});
  // A shorter text than the block.
  const nn::GptConfig config{
      .vocab_size = 65, .block_size = 16, .n_layer = 2, .n_head = 4, .n_embd = 32};
  nn::Gpt model(config);
  CHECK(forward_flops(config, 10) == nn::describe(model, [&] {
                                       model.forward(Tensor::zeros({1, 10}, DType::i64));
                                     }).flops);
  const train::TextConfig text;
  CHECK(train::kind_of(text).forward_flops(text, *train::kind_of(text).inspect_data(text)) ==
        forward_flops(nn::GptConfig{.vocab_size = 65, .bias = true}));
  const train::VisionConfig vision;
  CHECK(
      train::kind_of(vision).forward_flops(vision, *train::kind_of(vision).inspect_data(vision)) ==
      forward_flops(nn::VitConfig{}));
}

TEST_CASE("parameters and FLOPs of the models over tokens are those of what is built and called") {
  for (const TokenMixer mixer :
       {TokenMixer::diagonal, TokenMixer::full, TokenMixer::linear, TokenMixer::cross_covariance}) {
    check_flops<nn::TokenTransformer>(nn::TokenTransformerConfig{.n_head = 2, .mixer = mixer});
    check_flops<nn::TokenTransformer>(
        nn::TokenTransformerConfig{.n_token = 5,
                                   .n_feature = 3,
                                   .n_class = 2,
                                   .embed = true,
                                   .n_embd = 12,
                                   .n_layer = 2,
                                   .n_head = 4,
                                   .mixer = mixer,
                                   .feed_forward = true,
                                   .mlp_ratio = 1.5,
                                   .activation = nn::Activation::swiglu,
                                   .norm = true,
                                   .positions = false});
  }
  check_flops<nn::FtTransformer>(nn::FtTransformerConfig{});
  check_flops<nn::FtTransformer>(nn::FtTransformerConfig{.input_shape = {3, 4},
                                                         .n_class = 3,
                                                         .n_layer = 2,
                                                         .n_head = 2,
                                                         .n_embd = 10,
                                                         .activation = nn::Activation::swiglu,
                                                         .norm = nn::NormKind::rms});
  check_flops<nn::TokenCnn>(nn::TokenCnnConfig{});
  check_flops<nn::TokenCnn>(
      nn::TokenCnnConfig{.n_token = 2, .n_feature = 3, .widths = {}, .n_class = 2});
  check_flops<nn::FactorizationMachine>(nn::FactorizationMachineConfig{});
  check_flops<nn::FactorizationMachine>(
      nn::FactorizationMachineConfig{.input_shape = {3, 4}, .n_factor = 5});
}
