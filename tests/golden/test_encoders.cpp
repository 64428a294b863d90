// BERT, the click models, skip-gram and the small CNN against PyTorch: outputs and every gradient
// (golden_encoders.py).
#include <memory>

#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "nn/models/bert.h"
#include "nn/models/cnn.h"
#include "nn/models/recommender.h"
#include "nn/models/skip_gram.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

std::unique_ptr<nn::Model> make_encoder(const std::string& name) {
  if (name.starts_with("bert")) {
    return std::make_unique<nn::Bert>(nn::BertConfig{.vocab_size = 9,
                                                     .block_size = 6,
                                                     .n_layer = 2,
                                                     .n_head = 2,
                                                     .n_embd = 8,
                                                     .mlp_ratio = 2,
                                                     .dropout = 0,
                                                     .n_class = name == "bert_classes" ? 3 : 0});
  }
  if (name == "skip_gram")
    return std::make_unique<nn::SkipGram>(nn::SkipGramConfig{.vocab_size = 6, .n_embd = 3});
  if (name == "cnn")
    return std::make_unique<nn::Cnn>(nn::CnnConfig{.n_class = 5,
                                                   .image_height = 9,
                                                   .image_width = 7,
                                                   .channels = 2,
                                                   .widths = {3, 4},
                                                   .hidden = 6});
  return std::make_unique<nn::Recommender>(
      nn::RecommenderConfig{.n_item = 7,
                            .n_category = 4,
                            .n_user = 5,
                            .history = 4,
                            .model = nn::from_name<nn::ClickModel>(name, "model"),
                            .n_embd = 3,
                            .hidden = {6},
                            .unit_hidden = 4,
                            .n_layer = name == "autoint" ? 2 : 1});
}

void compare_encoder(const std::string& name, const golden::Arrays& arrays, DType dtype) {
  const auto model = make_encoder(name);
  const golden::Arrays values = golden::below(arrays, "param/");
  model->to(dtype);
  const nn::LoadReport report =
      model->load_state_dict(nn::NamedTensors(values.begin(), values.end()), false);
  for (const std::string& missing : report.missing)
    CHECK_MESSAGE(missing.find("running_") != std::string::npos, missing);
  CHECK(report.unexpected.empty());
  const Tensor ids =
      is_float(arrays.at("x").dtype()) ? raw::cast(arrays.at("x"), dtype) : arrays.at("x");
  Tensor out = (*model)(ids);
  if (name == "bert_tokens") {  // what stands at padding is nobody's
    const Tensor seen = raw::cast(greater(ids, Tensor::zeros({}, ids.dtype())), dtype);
    out = out * raw::reshape(seen, {ids.size(0), ids.size(1), 1});
  }
  const std::string what = fmt::format("{} in {}", name, weft::name(dtype));
  golden::check_close(what + ", output", out, arrays.at("out"), golden::tolerance(dtype));
  sum(out * raw::cast(arrays.at("g"), dtype)).backward();
  const golden::Arrays gradients = golden::below(arrays, "grad/");
  for (const auto& [parameter_name, parameter] : model->named_parameters()) {
    REQUIRE_MESSAGE(gradients.contains(parameter_name),
                    what << " has a parameter that PyTorch's has not: " << parameter_name);
    golden::check_close(what + ", gradient of " + parameter_name, parameter.grad(),
                        gradients.at(parameter_name), golden::tolerance(dtype));
  }
  CHECK(model->named_parameters().size() == gradients.size());
}

}  // namespace

TEST_CASE(
    "BERT, click models, skip-gram and the small CNN compute what PyTorch computes, forward and "
    "backward") {
  golden::Arrays all = golden::load("encoders");
  all.merge(golden::load("click_models"));
  for (const char* name : {"bert_tokens", "bert_classes", "fm", "deepfm", "sum", "din", "bst",
                           "autoint", "skip_gram", "cnn"})
    for (const DType dtype : {DType::f64, DType::f32})
      compare_encoder(name, golden::below(all, std::string(name) + "/"), dtype);
}

}  // namespace weft
