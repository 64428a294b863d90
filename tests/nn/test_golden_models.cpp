// Whole models against PyTorch: logits, loss and the gradient of every parameter.
#include "autograd/ops/loss.h"
#include "nn/nn.h"
#include "tests/golden/golden.h"

namespace weft::nn {
namespace {

/// The configurations of tests/golden/golden_models.py.
std::unique_ptr<Model> make(const std::string& name) {
  GptConfig gpt{.vocab_size = 11, .block_size = 8, .n_layer = 2, .n_head = 4, .n_embd = 16};
  if (name == "gpt_modern") {
    gpt.tie_weights = false;
    gpt.positions = Positions::rope;
    gpt.norm = NormKind::rms;
    gpt.norm_weight = false;
    gpt.activation = Activation::relu_squared;
    gpt.qk_norm = true;
    gpt.logit_cap = 15;
  } else if (name == "gpt_grouped_alibi") {
    gpt.n_kv_head = 2;
    gpt.positions = Positions::alibi;
    gpt.norm = NormKind::rms;
    gpt.activation = Activation::gelu_tanh;
    gpt.bias = true;
  } else if (name == "gpt_post_norm") {
    gpt.post_norm = true;
    gpt.positions = Positions::none;
    gpt.activation = Activation::relu;
    gpt.bias = true;
  } else if (name.starts_with("vit")) {
    return std::make_unique<Vit>(VitConfig{.n_class = 5,
                                           .image_height = 8,
                                           .image_width = 8,
                                           .channels = 2,
                                           .patch_size = 4,
                                           .n_layer = 2,
                                           .n_head = 2,
                                           .n_embd = 12,
                                           .pooling = name == "vit_class" ? Pooling::cls : Pooling::mean});
  }
  return std::make_unique<Gpt>(gpt);
}

void compare(const std::string& name, const golden::Arrays& arrays, DType dtype) {
  CAPTURE(name);
  const auto model = make(name);
  model->to(dtype);
  const golden::Arrays state = golden::below(arrays, "param/");
  model->load_state_dict(NamedTensors(state.begin(), state.end()));
  const Tensor x = arrays.at("x");
  const Tensor logits = (*model)(is_float(x.dtype()) ? raw::cast(x, dtype) : x);
  const Tensor loss = cross_entropy(logits, arrays.at("y"));
  loss.backward();
  const double tolerance = golden::tolerance(dtype);
  const std::string what = fmt::format("{} in {}", name, weft::name(dtype));
  golden::check_close(what + ", logits", logits, arrays.at("logits"), tolerance);
  golden::check_close(what + ", loss", loss, arrays.at("loss"), tolerance);
  const golden::Arrays gradients = golden::below(arrays, "grad/");
  for (const auto& [path, parameter] : model->named_parameters()) {
    const auto found = gradients.find(path);
    REQUIRE_MESSAGE(found != gradients.end(), path);
    golden::check_close(what + ", gradient of " + path, parameter.grad(), found->second, tolerance);
  }
}

TEST_CASE("models give PyTorch's logits, losses and gradients") {
  const golden::Arrays arrays = golden::load("nn");
  for (const char* name : {"gpt_plain", "gpt_modern", "gpt_grouped_alibi", "gpt_post_norm", "vit_class", "vit_mean"})
    for (const DType dtype : {DType::f64, DType::f32}) compare(name, golden::below(arrays, std::string(name) + "/"), dtype);
}

}  // namespace
}  // namespace weft::nn
