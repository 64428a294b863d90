// What a run is: every choice as plain data, one struct a task. The table in train/config_fields.h says, once for each choice, its
// name (flag, TOML key and JSON key), its help and its limits.
#pragma once

#include <cstdint>
#include <string>

namespace weft::train {

/// Choices of every task: the transformer's blocks, the optimizer, and when to look and to save.
struct RunConfig {
  // The blocks of a transformer.
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 0;   ///< 0: as many as heads
  std::int64_t head_size = 0;  ///< 0: width / heads
  std::int64_t width = 128;
  std::string norm = "layer";
  bool norm_weight = true;
  bool post_norm = false;
  bool qk_norm = false;
  std::string activation = "gelu_erf";
  double mlp_ratio = 4;
  bool bias = true;
  double dropout = 0;
  std::string init = "gpt2";
  double init_std = 0.02;
  bool zero_init = false;

  // Optimization.
  std::int64_t batch = 12;
  std::int64_t accumulate = 1;
  std::string optimizer = "adamw";
  double lr = 1e-3;
  double muon_lr = 0.02;
  double momentum = 0.95;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0.1;
  double clip = 1;
  double ema = 0;
  double label_smoothing = 0;
  std::string schedule = "cosine";
  std::int64_t warmup = -1;  ///< -1: a twentieth of the run, at most 100
  double decay = 0.6;
  double final_lr = 0.1;

  // The run.
  std::int64_t eval_every = 0;  ///< 0: the task decides
  std::int64_t save_every = 0;
  std::string until;
  std::int64_t seed = 1;
  std::int64_t threads = 0;  ///< 0: all cores
};

struct TextConfig : RunConfig {
  std::string data = "shakespeare";
  std::string tokenizer = "char";
  std::int64_t context = 64;
  std::int64_t steps = 2000;
  std::string positions = "learned";
  bool tie = true;
  double logit_cap = 0;
};

struct VisionConfig : RunConfig {
  VisionConfig();

  std::string data = "mnist";
  std::string model = "vit";
  std::int64_t patch = 4;
  std::string pool = "mean";
  std::string positions = "learned";
  std::int64_t epochs = 5;
  std::int64_t shift = 0;
  bool flip = false;
  std::int64_t validation = 5000;
};

/// A target that ends a run early, from `until`: "val_loss=1.93" is reached at or below it, "val_accuracy=0.98" at or above.
struct Target {
  std::string figure;  ///< empty: no target
  double value = 0;
};

/// Throws ConfigError unless `text` is empty or `val_loss=NUMBER` or `val_accuracy=NUMBER`.
Target parse_target(const std::string& text);

/// Throws ConfigError naming the first rule that a configuration breaks by itself: width and heads, limits, contradictions.
void check(const TextConfig& config);
void check(const VisionConfig& config);

/// Fills in what was left to the task (the zeros and -1 above), now that the number of steps is known. A settled configuration is
/// what config.json holds: it says everything. Throws ConfigError for a warm-up longer than the run.
void settle(TextConfig& config);
void settle(VisionConfig& config, std::int64_t steps, std::int64_t steps_per_epoch);

/// What is known of the data only when it is there. Throws ConfigError: context longer than the data, patch not dividing the image,
/// or a run that the machine's memory cannot hold, estimated before anything is allocated.
void check_against_data(const TextConfig& config, std::int64_t vocabulary, std::int64_t train_tokens, std::int64_t val_tokens);
void check_against_data(const VisionConfig& config, std::int64_t train_images, std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t classes);

}  // namespace weft::train
