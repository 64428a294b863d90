// What `weft bench` trains: the models of tests/peers/torch_peer.py, on random data that is made once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "nn/model.h"
#include "optim/adam.h"

namespace weft::bench {

/// A model, its batch, and how often to run it. Named as the flags; the defaults are those of the PyTorch script.
struct Plan {
  bool vit = false;  ///< else GPT
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t width = 128;
  std::int64_t batch = 12;
  std::string attention = "softmax";
  std::int64_t context = 64;  ///< GPT
  std::int64_t vocab = 65;    ///< GPT
  std::int64_t image = 28;    ///< ViT
  std::int64_t patch = 4;     ///< ViT
  std::int64_t channels = 1;  ///< ViT
  std::int64_t classes = 10;  ///< ViT
  std::int64_t steps = 40;
  std::int64_t warmup = 8;
  int threads = 0;  ///< 0: one a core

  /// Throws ConfigError that names the flag, its value and what it may be, and where the work surely does not fit in memory.
  void validate() const;
  bool has_softmax() const { return attention == "softmax" || attention == "plain"; }
  const char* kind() const { return vit ? "vit" : "gpt"; }
  const char* item() const { return vit ? "images" : "tokens"; }
  std::int64_t patches() const { return (image / patch) * (image / patch); }
  /// Of one sequence: with the class token, for ViT.
  std::int64_t tokens() const { return vit ? patches() + 1 : context; }
  /// Tokens or images of a batch.
  std::int64_t items() const { return vit ? batch : batch * context; }
};

/// Pre-norm blocks with biases in linear and norm layers, exact GELU, learned positions, no dropout. The GPT's head is untied and
/// has no bias; the ViT reads a class token. AdamW(1e-3, 0.9, 0.99), weight decay 0.1 on everything, as PyTorch does by default.
class Workload {
 public:
  /// Throws ConfigError, MemoryError.
  explicit Workload(const Plan& plan);

  Tensor loss() const;
  void zero_grad() { optimizer_->zero_grad(); }
  void update() { optimizer_->step(); }
  /// Zeroed gradients, forward, loss, backward, update. Returns the loss as a tensor, unread.
  Tensor step();
  std::int64_t parameters() const { return model_->num_parameters(); }

 private:
  std::unique_ptr<nn::Model> model_;
  std::unique_ptr<optim::AdamW> optimizer_;
  Tensor inputs_;   ///< ids (B, T), or images (B, channels, H, W)
  Tensor targets_;  ///< ids (B, T), or classes (B,)
};

}  // namespace weft::bench
