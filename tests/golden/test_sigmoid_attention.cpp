// Sigmoid attention against PyTorch: logits and every gradient of a GPT and of a ViT.
#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "nn/models/gpt.h"
#include "nn/models/vit.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

void compare(const std::string& name, nn::Model& model, DType dtype) {
  const golden::Arrays arrays = golden::below(golden::load("sigmoid_attention"), name + "/");
  const double tolerance = golden::tolerance(dtype);
  model.to(dtype);
  const golden::Arrays values = golden::below(arrays, "param/");
  model.load_state_dict(nn::NamedTensors(values.begin(), values.end()));
  const Tensor& x = arrays.at("x");
  const Tensor logits = model(is_float(x.dtype()) ? raw::cast(x, dtype) : x);
  const Tensor loss = cross_entropy(logits, arrays.at("y"));
  golden::check_close(name + ", logits", logits, arrays.at("logits"), tolerance);
  golden::check_close(name + ", loss", loss, arrays.at("loss"), tolerance);
  loss.backward();
  const golden::Arrays gradients = golden::below(arrays, "grad/");
  CHECK(model.named_parameters().size() == gradients.size());
  for (const auto& [path, parameter] : model.named_parameters())
    golden::check_close(name + ", gradient of " + path, parameter.grad(), gradients.at(path),
                        tolerance);
}

}  // namespace

TEST_CASE("sigmoid attention gives PyTorch's logits and gradients") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    nn::Gpt gpt({.vocab_size = 11,
                 .block_size = 8,
                 .n_layer = 2,
                 .n_head = 4,
                 .n_embd = 16,
                 .n_kv_head = 2,
                 .attention = nn::AttentionKind::sigmoid,
                 .positions = nn::Positions::rope});
    compare("gpt", gpt, dtype);
    nn::Vit vit({.n_class = 5,
                 .image_height = 8,
                 .image_width = 8,
                 .channels = 2,
                 .patch_size = 4,
                 .n_layer = 2,
                 .n_head = 2,
                 .n_embd = 12,
                 .pooling = nn::Pooling::cls,
                 .attention = nn::AttentionKind::sigmoid});
    compare("vit", vit, dtype);
  }
}

}  // namespace weft
