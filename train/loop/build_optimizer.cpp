#include "train/loop/build_optimizer.h"

#include <algorithm>
#include <set>

#include "optim/adam.h"
#include "optim/ema.h"
#include "optim/lion.h"
#include "optim/muon.h"
#include "optim/sgd.h"

namespace weft::train {
namespace {

/// Embeddings and heads are matrices to look, but their rows stand for themselves: an update that
/// mixes them makes no sense.
bool muon_takes(const std::string& name, const Tensor& tensor) {
  if (tensor.rank() < 2) return false;
  constexpr const char* kOutside[] = {"transformer.wte.",
                                      "transformer.wpe.",
                                      "wte.",
                                      "wpe.",
                                      "wpe_source.",
                                      "lm_head.",
                                      "head.",
                                      "cls_token",
                                      "pos_embed",
                                      "patch_embed.",
                                      "bert.embeddings.",
                                      "classifier."};
  return std::none_of(std::begin(kOutside), std::end(kOutside),
                      [&](const char* prefix) { return name.starts_with(prefix); });
}

/// A weight that computes several things at once is orthogonalised one by one: query, key and
/// value; gate and value of SwiGLU.
std::int64_t row_blocks(const RunConfig& c, const std::string& name) {
  const auto ends = [&](const char* suffix) { return name.ends_with(suffix); };
  const bool all_heads = c.kv_heads == 0 || c.kv_heads == c.heads;
  if ((ends("c_attn.weight") || ends("qkv.weight")) && all_heads) return 3;
  if (ends("c_kv.weight") && all_heads) return 2;
  if ((ends("c_fc.weight") || ends("fc1.weight")) && c.activation == "swiglu") return 2;
  return 1;
}

}  // namespace

optim::NamedTensors saved_buffers(const nn::Module& model) {
  std::set<std::string> saved;
  for (const auto& [name, tensor] : model.state_dict()) saved.insert(name);
  optim::NamedTensors buffers = model.named_buffers();
  std::erase_if(buffers, [&](const auto& buffer) { return !saved.contains(buffer.first); });
  return buffers;
}

std::unique_ptr<optim::Optimizer> build_optimizer(const RunConfig& c, const nn::Module& model) {
  const optim::NamedTensors parameters = model.named_parameters();
  if (c.optimizer == "sgd") {
    return std::make_unique<optim::Sgd>(
        parameters,
        optim::SgdOptions{.lr = c.lr, .momentum = c.momentum, .weight_decay = c.weight_decay});
  }
  if (c.optimizer == "adam") {
    return std::make_unique<optim::Adam>(
        parameters,
        optim::AdamOptions{
            .lr = c.lr, .beta1 = c.beta1, .beta2 = c.beta2, .weight_decay = c.weight_decay});
  }
  if (c.optimizer == "lion") {
    return std::make_unique<optim::Lion>(
        parameters,
        optim::LionOptions{
            .lr = c.lr, .beta1 = c.beta1, .beta2 = c.beta2, .weight_decay = c.weight_decay});
  }
  const optim::AdamWOptions adamw{
      .lr = c.lr, .beta1 = c.beta1, .beta2 = c.beta2, .weight_decay = c.weight_decay};
  if (c.optimizer == "adamw") return std::make_unique<optim::AdamW>(parameters, adamw);

  std::vector<optim::MuonMatrix> matrices;
  optim::NamedTensors rest;
  for (const auto& [name, tensor] : parameters) {
    if (muon_takes(name, tensor))
      matrices.push_back({name, tensor, row_blocks(c, name)});
    else
      rest.emplace_back(name, tensor);
  }
  return std::make_unique<optim::Muon>(
      matrices, rest,
      optim::MuonOptions{.lr = c.muon_lr, .momentum = c.momentum, .weight_decay = c.weight_decay},
      adamw);
}

std::function<void()> build_update(const RunConfig& config, const nn::Module& model) {
  const std::shared_ptr<optim::Optimizer> optimizer = build_optimizer(config, model);
  if (config.ema == 0) return [optimizer] { optimizer->step(); };
  const auto average =
      std::make_shared<optim::Ema>(model.named_parameters(), config.ema, saved_buffers(model));
  return [optimizer, average] {
    optimizer->step();
    average->update();
  };
}

optim::LrSchedule build_schedule(const RunConfig& c, std::int64_t steps) {
  const optim::LrSchedule schedule{.kind = optim::schedule_from_name(c.schedule),
                                   .steps = steps,
                                   .warmup = c.warmup,
                                   .min_factor = c.final_lr,
                                   .decay_fraction = c.decay};
  schedule.validate();
  return schedule;
}

}  // namespace weft::train
