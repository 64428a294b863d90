// From a configuration to the parts that every kind of run has: a transformer's blocks, the
// optimizer and the schedule.
#pragma once

#include <functional>
#include <memory>

#include "nn/module.h"
#include "nn/options.h"
#include "optim/lr_schedule.h"
#include "optim/optimizer.h"
#include "train/config/run_config.h"

namespace weft::train {

/// The choices that the configurations M of all transformers share.
template <class M>
void set_blocks(M& m, const RunConfig& c, const std::string& positions) {
  m.n_layer = c.layers;
  m.n_head = c.heads;
  m.n_kv_head = c.kv_heads;
  m.head_size = c.head_size;
  m.n_embd = c.width;
  m.attention = nn::from_name<nn::AttentionKind>(c.attention, "attention");
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

/// The model's buffers that are saved with its parameters: what forward passes change, as the
/// running statistics of batch norms.
optim::NamedTensors saved_buffers(const nn::Module& model);
/// Muon takes the matrices inside the network, AdamW the embeddings, the head and everything that
/// is no matrix.
std::unique_ptr<optim::Optimizer> build_optimizer(const RunConfig& config, const nn::Module& model);
/// What the end of a step does: the optimizer's step() and, where the configuration asks for an
/// average of the weights, its update.
std::function<void()> build_update(const RunConfig& config, const nn::Module& model);
optim::LrSchedule build_schedule(const RunConfig& config, std::int64_t steps);

}  // namespace weft::train
