// Samples of the models over real-valued tokens and tables, tiny. Their values are held against
// PyTorch's by the golden files.
#include "nn/models/factorization_machine.h"
#include "nn/models/ft_transformer.h"
#include "nn/models/token_cnn.h"
#include "nn/models/token_transformer.h"
#include "nn/samples/module_case.h"

namespace weft::samples::nn_token_models_samples {
namespace {

using namespace nn;

/// A few elements of every parameter are checked.
template <class M>
Case token_model_case(std::string label, std::shared_ptr<M> model, const Tensor& input) {
  Case result = module_case(std::move(label), std::move(model), input);
  result.check.max_elements = 6;
  result.f32_tolerance = 5e-4;
  return result;
}

Case transformer_case(std::string label, TokenTransformerConfig config) {
  config.n_token = 3;
  config.n_feature = 4;
  return token_model_case(std::move(label), std::make_shared<TokenTransformer>(config),
                          values({2, 3, 4}, 1));
}

const Register machine_sample("FactorizationMachine", Kind::model, [] {
  Sample sample{.name = "FactorizationMachine", .kind = Kind::model};
  sample.cases = {
      token_model_case("tokens",
                       std::make_shared<FactorizationMachine>(
                           FactorizationMachineConfig{.input_shape = {3, 2}, .n_factor = 2}),
                       values({4, 3, 2}, 1))};
  sample.errors = {{"factors", [] { FactorizationMachine({.n_factor = 0}); },
                    "[factorization_machine] n_factor must be 1 to 1048576, got 0"},
                   {"input",
                    [] {
                      FactorizationMachine({}).forward(Tensor::zeros({2, 7}));
                    },
                    "[factorization_machine] expects a batch of (8,), got (2, 7)"}};
  return sample;
});

const Register token_cnn_sample("TokenCnn", Kind::model, [] {
  Sample sample{.name = "TokenCnn", .kind = Kind::model};
  sample.cases = {
      token_model_case("two convolutions",
                       std::make_shared<TokenCnn>(TokenCnnConfig{
                           .n_token = 4, .n_feature = 3, .widths = {4, 3}, .n_class = 2}),
                       values({2, 4, 3}, 1)),
      token_model_case(
          "none",
          std::make_shared<TokenCnn>(TokenCnnConfig{.n_token = 2, .n_feature = 3, .widths = {}}),
          values({2, 2, 3}, 1))};
  sample.errors = {{"kernel", [] { TokenCnn({.kernel = 2}); },
                    "[token_cnn] kernel must be odd, 1 to 255, got 2"},
                   {"input",
                    [] {
                      TokenCnn({}).forward(Tensor::zeros({2, 4, 7}));
                    },
                    "[token_cnn] expects (B, 4, 8), got (2, 4, 7)"}};
  return sample;
});

const Register token_transformer_sample("TokenTransformer", Kind::model, [] {
  Sample sample{.name = "TokenTransformer", .kind = Kind::model};
  sample.cases = {
      transformer_case("diagonal", {.mixer = TokenMixer::diagonal}),
      transformer_case("diagonal, a head a dimension, no positions",
                       {.n_head = 4, .mixer = TokenMixer::diagonal, .positions = false}),
      transformer_case("full, two layers and heads", {.n_class = 2, .n_layer = 2, .n_head = 2}),
      transformer_case("linear", {.mixer = TokenMixer::linear}),
      transformer_case("between channels", {.n_head = 2, .mixer = TokenMixer::cross_covariance}),
      transformer_case("whole", {.embed = true,
                                 .n_embd = 6,
                                 .n_head = 2,
                                 .feed_forward = true,
                                 .mlp_ratio = 2,
                                 .norm = true}),
      transformer_case("rms norm, swiglu", {.mixer = TokenMixer::diagonal,
                                            .feed_forward = true,
                                            .activation = Activation::swiglu,
                                            .norm = true,
                                            .norm_kind = NormKind::rms})};
  sample.errors = {{"heads", [] { TokenTransformer({.n_feature = 6, .n_head = 4}); },
                    "[token_transformer] n_embd 6 is not divisible by n_head 4; use 4 or 8"},
                   {"input",
                    [] {
                      TokenTransformer({}).forward(Tensor::zeros({2, 4, 7}));
                    },
                    "[token_transformer] expects (B, 4, 8), got (2, 4, 7)"}};
  return sample;
});

const Register ft_transformer_sample("FtTransformer", Kind::model, [] {
  Sample sample{.name = "FtTransformer", .kind = Kind::model};
  sample.cases = {
      token_model_case(
          "two layers",
          std::make_shared<FtTransformer>(FtTransformerConfig{
              .input_shape = {2, 3}, .n_class = 2, .n_layer = 2, .n_head = 2, .n_embd = 4}),
          values({2, 2, 3}, 1)),
      token_model_case(
          "features in groups",
          std::make_shared<FtTransformer>(FtTransformerConfig{
              .input_shape = {8}, .groups = {1, 3, 1, 1, 2}, .n_head = 2, .n_embd = 4}),
          values({2, 8}, 1))};
  sample.errors = {{"heads", [] { FtTransformer({.n_embd = 30}); },
                    "[ft_transformer] n_embd 30 is not divisible by n_head 4; use 28 or 32"},
                   {"groups",
                    [] {
                      FtTransformer({.groups = {3, 4}});
                    },
                    "[ft_transformer] groups hold 7 features, and a row has 8"},
                   {"input",
                    [] {
                      FtTransformer({}).forward(Tensor::zeros({2, 7}));
                    },
                    "[ft_transformer] expects a batch of (8,), got (2, 7)"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_token_models_samples
