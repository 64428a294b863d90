// Samples of whole models, tiny: gradients with respect to every parameter. Their values are held
// against PyTorch's by the golden files.
#include "nn/models/cnn.h"
#include "nn/models/gpt.h"
#include "nn/models/mlp.h"
#include "nn/models/vit.h"
#include "nn/samples/module_case.h"

namespace weft::samples::nn_models_samples {
namespace {

using namespace nn;

/// A few elements of every parameter are checked.
template <class M>
Case model_case(std::string label, std::shared_ptr<M> model, Tensor input,
                double f32_tolerance = 5e-4) {
  Case result = module_case(std::move(label), std::move(model), std::move(input));
  result.check.max_elements = 6;
  result.f32_tolerance = f32_tolerance;
  return result;
}

Case gpt_case(std::string label, GptConfig config) {
  config.vocab_size = 7;
  config.block_size = 6;
  config.n_layer = 2;
  config.n_embd = 8;
  return model_case(std::move(label), std::make_shared<Gpt>(config), ids({2, 5}, 7, 1));
}

const Register gpt_sample("Gpt", Kind::model, [] {
  Sample sample{.name = "Gpt", .kind = Kind::model};
  sample.cases = {
      gpt_case("plain", {.n_head = 2}),
      gpt_case("modern", {.n_head = 4,
                          .n_kv_head = 2,
                          .positions = Positions::rope,
                          .norm = NormKind::rms,
                          .norm_weight = false,
                          .activation = Activation::relu_squared,
                          .qk_norm = true,
                          .tie_weights = false,
                          .logit_cap = 15}),
      gpt_case("alibi, swiglu, biases", {.n_head = 2,
                                         .bias = true,
                                         .head_size = 3,
                                         .positions = Positions::alibi,
                                         .norm = NormKind::rms,
                                         .activation = Activation::swiglu}),
      gpt_case("lightning",
               {.n_head = 2, .attention = AttentionKind::lightning, .positions = Positions::none}),
      gpt_case("linear, rope",
               {.n_head = 2, .attention = AttentionKind::linear, .positions = Positions::rope}),
      gpt_case("plain attention", {.n_head = 2, .attention = AttentionKind::plain}),
      gpt_case("post-norm, sinusoidal", {.n_head = 2,
                                         .positions = Positions::sinusoidal,
                                         .activation = Activation::gelu_tanh,
                                         .post_norm = true})};
  sample.errors = {
      {"vocabulary", [] { Gpt({}); }, "[gpt] vocab_size must be 1 to 268435456, got 0"},
      {"heads", [] { Gpt({.vocab_size = 5, .n_embd = 130}); },
       "[gpt] n_embd 130 is not divisible by n_head 4; use 128 or 132"},
      {"channels", [] { Gpt({.vocab_size = 5, .attention = AttentionKind::channels}); },
       "[gpt] channels attention sees all tokens at once, also those to be predicted; use "
       "softmax"},
      {"alibi without softmax",
       [] {
         Gpt({.vocab_size = 5,
              .attention = AttentionKind::lightning,
              .positions = Positions::alibi});
       },
       "[gpt] alibi is added to scores, and lightning attention has none; use none, learned, "
       "sinusoidal or rope"},
      {"layers", [] { Gpt({.vocab_size = 5, .n_layer = 1000000000}); },
       "[gpt] n_layer must be 1 to 10000, got 1000000000"},
      {"dropout", [] { Gpt({.vocab_size = 5, .dropout = 1.5}); },
       "[gpt] dropout must be at least 0 and below 1, got 1.5"},
      {"context",
       [] {
         Gpt({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_embd = 8})
             .forward(Tensor::zeros({1, 5}, DType::i64));
       },
       "[gpt] 5 tokens are more than block_size 4, and learned positions end there"},
      {"rank",
       [] {
         Gpt({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_embd = 8})
             .forward(Tensor::zeros({4}, DType::i64));
       },
       "[gpt] expects ids (B, T), got (4,)"}};
  return sample;
});

Case vit_case(std::string label, VitConfig config) {
  config.n_class = 3;
  config.image_height = 4;
  config.image_width = 6;
  config.channels = 2;
  config.patch_size = 2;
  config.n_layer = 2;
  config.n_head = 2;
  config.n_embd = 8;
  config.mlp_ratio = 2;
  return model_case(std::move(label), std::make_shared<Vit>(config), values({2, 2, 4, 6}, 1));
}

const Register vit_sample("Vit", Kind::model, [] {
  Sample sample{.name = "Vit", .kind = Kind::model};
  sample.cases = {
      vit_case("class token", {.pooling = Pooling::cls}),
      vit_case("mean", {.pooling = Pooling::mean}),
      vit_case("modern", {.bias = false,
                          .positions = Positions::rope,
                          .norm = NormKind::rms,
                          .activation = Activation::relu_squared,
                          .qk_norm = true}),
      vit_case("lightning", {.attention = AttentionKind::lightning}),
      vit_case("channels", {.attention = AttentionKind::channels}),
      vit_case("post-norm, sinusoidal",
               {.pooling = Pooling::cls, .positions = Positions::sinusoidal, .post_norm = true})};
  sample.errors = {
      {"patch", [] { Vit({.patch_size = 5}); },
       "[vit] patch_size 5 does not divide the image, 28 x 28; use one of 1, 2, 4, 7, 14, 28"},
      {"image",
       [] {
         Vit({.n_layer = 1}).forward(Tensor::zeros({1, 1, 28, 27}));
       },
       "[vit] expects images (B, 1, 28, 28), got (1, 1, 28, 27)"},
      {"heads", [] { Vit({.n_head = 3}); },
       "[vit] n_embd 64 is not divisible by n_head 3; use 63 or 66"}};
  return sample;
});

const Register mlp_sample("Mlp", Kind::model, [] {
  Sample sample{.name = "Mlp", .kind = Kind::model};
  sample.cases = {
      model_case("gelu",
                 std::make_shared<Mlp>(MlpConfig{.input_shape = {2, 3},
                                                 .hidden = {5, 4},
                                                 .n_class = 3,
                                                 .activation = Activation::gelu_erf}),
                 values({4, 2, 3}, 1)),
      model_case("no hidden layer",
                 std::make_shared<Mlp>(MlpConfig{.input_shape = {6}, .hidden = {}, .n_class = 3}),
                 values({4, 6}, 1))};
  sample.errors = {{"width", [] { Mlp({.hidden = {0}}); },
                    "[mlp] every width of hidden must be 1 to 1048576, got 0"},
                   {"input",
                    [] {
                      Mlp({}).forward(Tensor::zeros({2, 784}));
                    },
                    "[mlp] expects a batch of (1, 28, 28), got (2, 784)"}};
  return sample;
});

const Register cnn_sample("Cnn", Kind::model, [] {
  Sample sample{.name = "Cnn", .kind = Kind::model};
  sample.cases = {model_case("two convolutions",
                             std::make_shared<Cnn>(CnnConfig{.n_class = 3,
                                                             .image_height = 6,
                                                             .image_width = 5,
                                                             .channels = 2,
                                                             .widths = {3, 4},
                                                             .hidden = 5}),
                             values({2, 2, 6, 5}, 1))};
  sample.errors = {
      {"poolings", [] { Cnn({.image_height = 3, .image_width = 3}); },
       "[cnn] 2 poolings leave nothing of an image of 3 x 3; use fewer widths"},
      {"kernel", [] { Cnn({.kernel = 4}); }, "[cnn] kernel must be odd, 1 to 255, got 4"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_models_samples
