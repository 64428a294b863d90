// Models over real-valued tokens against PyTorch: logits, loss and every gradient.
#include <memory>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "nn/models/factorization_machine.h"
#include "nn/models/ft_transformer.h"
#include "nn/models/token_cnn.h"
#include "nn/models/token_transformer.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

constexpr std::int64_t kTokens = 3, kFeatures = 4;

std::unique_ptr<nn::Model> make_token_model(const std::string& name) {
  using nn::TokenMixer;
  if (name == "fm")
    return std::make_unique<nn::FactorizationMachine>(
        nn::FactorizationMachineConfig{.input_shape = {kTokens, kFeatures}, .n_factor = 3});
  if (name == "cnn")
    return std::make_unique<nn::TokenCnn>(
        nn::TokenCnnConfig{.n_token = kTokens, .n_feature = kFeatures, .widths = {5, 5}});
  if (name == "ft" || name == "ft_groups")
    return std::make_unique<nn::FtTransformer>(nn::FtTransformerConfig{
        .input_shape = {kTokens, kFeatures},
        .groups = name == "ft" ? std::vector<std::int64_t>{}
                               : std::vector<std::int64_t>{1, 1, 3, 1, 4, 2},
        .n_layer = 2,
        .n_head = 2,
        .n_embd = 8,
        .mlp_ratio = 2});
  nn::TokenTransformerConfig config{.n_token = kTokens, .n_feature = kFeatures, .n_head = 2};
  if (name == "diagonal") config.mixer = TokenMixer::diagonal;
  if (name == "linear") config.mixer = TokenMixer::linear;
  if (name == "cross_covariance") config.mixer = TokenMixer::cross_covariance;
  if (name == "full") config.n_layer = 2;
  if (name == "whole")
    config.embed = config.feed_forward = config.norm = true, config.n_embd = 6,
    config.mlp_ratio = 2;
  return std::make_unique<nn::TokenTransformer>(config);
}

void compare_token_model(const std::string& name, const golden::Arrays& arrays, DType dtype) {
  const auto model = make_token_model(name);
  const golden::Arrays values = golden::below(arrays, "param/"),
                       gradients = golden::below(arrays, "grad/");
  model->to(dtype);
  model->load_state_dict(nn::NamedTensors(values.begin(), values.end()));
  const Tensor logits = (*model)(raw::cast(arrays.at("x"), dtype));
  const Tensor loss = bce_with_logits(reshape(logits, {-1}), raw::cast(arrays.at("y"), dtype));
  const std::string what = fmt::format("{} in {}", name, weft::name(dtype));
  golden::check_close(what + ", logits", logits, arrays.at("logits"), golden::tolerance(dtype));
  golden::check_close(what + ", loss", loss, arrays.at("loss"), golden::tolerance(dtype));
  loss.backward();
  for (const auto& [path, parameter] : model->named_parameters()) {
    REQUIRE_MESSAGE(gradients.contains(path),
                    what << " has a parameter that PyTorch's has not: " << path);
    golden::check_close(what + ", gradient of " + path, parameter.grad(), gradients.at(path),
                        golden::tolerance(dtype));
  }
  CHECK(model->named_parameters().size() == gradients.size());
}

TEST_CASE("models over real-valued tokens give PyTorch's logits and gradients") {
  const golden::Arrays arrays = golden::load("tokens");
  for (const char* name :
       {"diagonal", "full", "linear", "cross_covariance", "whole", "ft", "fm", "cnn", "ft_groups"})
    for (const DType dtype : {DType::f64, DType::f32})
      compare_token_model(name, golden::below(arrays, std::string(name) + "/"), dtype);
}

}  // namespace
}  // namespace weft
