#include "train/build.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "optim/adam.h"
#include "optim/lion.h"
#include "optim/muon.h"
#include "optim/sgd.h"

namespace weft::train {
namespace {

using Json = nlohmann::ordered_json;

/// The choices that GptConfig and VitConfig share.
template <class M>
void set_blocks(M& m, const RunConfig& c, const std::string& positions) {
  m.n_layer = c.layers;
  m.n_head = c.heads;
  m.n_kv_head = c.kv_heads;
  m.head_size = c.head_size;
  m.n_embd = c.width;
  m.positions = nn::from_name<nn::Positions>(positions, "positions");
  m.norm = nn::from_name<nn::NormKind>(c.norm, "norm");
  m.norm_weight = c.norm_weight;
  m.post_norm = c.post_norm;
  m.qk_norm = c.qk_norm;
  m.activation = nn::from_name<nn::Activation>(c.activation, "activation");
  m.mlp_ratio = c.mlp_ratio;
  m.bias = c.bias;
  m.dropout = c.dropout;
  m.init = nn::from_name<nn::InitScheme>(c.init, "init");
  m.init_std = c.init_std;
  m.zero_init_proj = c.zero_init;
}

/// Embeddings and heads are matrices to look, but their rows stand for themselves: an update that mixes them makes no sense.
bool muon_takes(const std::string& name, const Tensor& tensor) {
  if (tensor.rank() < 2) return false;
  constexpr const char* kOutside[] = {"transformer.wte.", "transformer.wpe.", "lm_head.", "head.", "cls_token", "pos_embed", "patch_embed."};
  return std::none_of(std::begin(kOutside), std::end(kOutside), [&](const char* prefix) { return name.starts_with(prefix); });
}

/// A weight that computes several things at once is orthogonalised one by one: query, key and value; gate and value of SwiGLU.
std::int64_t row_blocks(const RunConfig& c, const std::string& name) {
  const auto ends = [&](const char* suffix) { return name.ends_with(suffix); };
  const bool all_heads = c.kv_heads == 0 || c.kv_heads == c.heads;
  if ((ends("c_attn.weight") || ends("qkv.weight")) && all_heads) return 3;
  if ((ends("c_fc.weight") || ends("fc1.weight")) && c.activation == "swiglu") return 2;
  return 1;
}

}  // namespace

std::string ImageFacts::to_json() const {
  return Json{{"channels", channels}, {"height", height}, {"width", width}, {"classes", classes}, {"normalization", Json::parse(normalization.to_json())}}.dump();
}

ImageFacts ImageFacts::from_json(const std::string& text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, false);
  ImageFacts facts;
  const auto size = [&](const char* name, std::int64_t high) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    const std::int64_t value = there ? json[name].get<std::int64_t>() : 0;
    if (value < 1 || value > high) fail<ConfigError>(where, "{} of the images must be a number from 1 to {}", name, high);
    return value;
  };
  facts.channels = size("channels", 1024);
  facts.height = size("height", 65536);
  facts.width = size("width", 65536);
  facts.classes = size("classes", 1'000'000);
  if (!json.contains("normalization")) fail<ConfigError>(where, "the normalization of the images is missing");
  facts.normalization = data::Normalization::from_json(json["normalization"].dump(), where);
  return facts;
}

nn::GptConfig gpt_config(const TextConfig& c, std::int64_t vocabulary) {
  nn::GptConfig gpt;
  gpt.vocab_size = vocabulary;
  gpt.block_size = c.context;
  set_blocks(gpt, c, c.positions);
  gpt.tie_weights = c.tie;
  gpt.logit_cap = c.logit_cap;
  return gpt;
}

VisionModelConfig vision_model_config(const VisionConfig& c, const ImageFacts& images) {
  if (c.model == "mlp") {
    nn::MlpConfig mlp;
    mlp.input_shape = Shape{images.channels, images.height, images.width};
    mlp.hidden.assign(static_cast<std::size_t>(c.layers), c.width);
    mlp.n_class = images.classes;
    mlp.activation = nn::from_name<nn::Activation>(c.activation, "activation");
    mlp.dropout = c.dropout;
    return mlp;
  }
  if (c.model == "cnn") {
    nn::CnnConfig cnn;
    cnn.n_class = images.classes;
    cnn.image_height = images.height;
    cnn.image_width = images.width;
    cnn.channels = images.channels;
    cnn.hidden = c.width;
    cnn.dropout = c.dropout;
    return cnn;
  }
  nn::VitConfig vit;
  vit.n_class = images.classes;
  vit.image_height = images.height;
  vit.image_width = images.width;
  vit.channels = images.channels;
  vit.patch_size = c.patch;
  vit.pooling = nn::from_name<nn::Pooling>(c.pool, "pool");
  set_blocks(vit, c, c.positions);
  return vit;
}

std::unique_ptr<nn::Model> build_model(const VisionConfig& c, const ImageFacts& images) {
  struct Build {
    std::unique_ptr<nn::Model> operator()(const nn::VitConfig& vit) const { return std::make_unique<nn::Vit>(vit); }
    std::unique_ptr<nn::Model> operator()(const nn::MlpConfig& mlp) const { return std::make_unique<nn::Mlp>(mlp); }
    std::unique_ptr<nn::Model> operator()(const nn::CnnConfig& cnn) const { return std::make_unique<nn::Cnn>(cnn); }
  };
  return std::visit(Build(), vision_model_config(c, images));
}

std::unique_ptr<optim::Optimizer> build_optimizer(const RunConfig& c, const nn::Model& model) {
  const optim::NamedTensors parameters = model.named_parameters();
  if (c.optimizer == "sgd") {
    return std::make_unique<optim::Sgd>(parameters, optim::SgdOptions{.lr = c.lr, .momentum = c.momentum, .weight_decay = c.weight_decay});
  }
  if (c.optimizer == "adam") {
    return std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.lr = c.lr, .beta1 = c.beta1, .beta2 = c.beta2, .weight_decay = c.weight_decay});
  }
  if (c.optimizer == "lion") {
    return std::make_unique<optim::Lion>(parameters, optim::LionOptions{.lr = c.lr, .beta1 = c.beta1, .beta2 = c.beta2, .weight_decay = c.weight_decay});
  }
  const optim::AdamWOptions adamw{.lr = c.lr, .beta1 = c.beta1, .beta2 = c.beta2, .weight_decay = c.weight_decay};
  if (c.optimizer == "adamw") return std::make_unique<optim::AdamW>(parameters, adamw);

  std::vector<optim::MuonMatrix> matrices;
  optim::NamedTensors rest;
  for (const auto& [name, tensor] : parameters) {
    if (muon_takes(name, tensor)) matrices.push_back({name, tensor, row_blocks(c, name)});
    else rest.emplace_back(name, tensor);
  }
  return std::make_unique<optim::Muon>(matrices, rest, optim::MuonOptions{.lr = c.muon_lr, .momentum = c.momentum, .weight_decay = c.weight_decay}, adamw);
}

optim::LrSchedule build_schedule(const RunConfig& c, std::int64_t steps) {
  const optim::LrSchedule schedule{
      .kind = optim::schedule_from_name(c.schedule), .steps = steps, .warmup = c.warmup, .min_factor = c.final_lr, .decay_fraction = c.decay};
  schedule.validate();
  return schedule;
}

}  // namespace weft::train
