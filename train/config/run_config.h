// What a run is: every choice as plain data. Each kind of run (train/tasks/) adds its own to these;
// its table of fields says, once for each choice, its name (flag, TOML key and JSON key), its help
// and its limits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::train {

/// Formats of config.json. 1: none was written. 2: `derived`. 3: validation images are drawn by
/// class; gradients are accumulated by targets; averages of weights (ema) hold the running
/// statistics of batch norms, too.
inline constexpr std::int64_t kConfigFormat = 3;

/// Choices of every kind: the transformer's blocks, the optimizer, and when to look and to save.
struct RunConfig {
  virtual ~RunConfig() = default;

  // The blocks of a transformer.
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 0;   ///< 0: as many as heads
  std::int64_t head_size = 0;  ///< 0: width / heads
  std::int64_t width = 128;
  std::string attention = "softmax";
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
  std::string on_nan = "stop";
  std::int64_t seed = 1;
  std::int64_t threads = 0;  ///< 0: all cores

  /// The format of config.json that the run was begun with. The rules that a format changed (how
  /// data are split and weighted) stay as they were for a run that is resumed, evaluated or used; a
  /// new run has the present ones.
  std::int64_t format = kConfigFormat;

  /// Names of choices that were left to the program, and that settling has filled in: a new run
  /// from this configuration leaves them to it again.
  std::vector<std::string> derived{};
};

/// Rules that every kind has. Throws ConfigError naming the first that is broken.
void check_common(const RunConfig& config);
void check_heads(const RunConfig& config);  ///< width, heads and kv_heads of a transformer
void check_positions(const RunConfig& config,
                     const std::string& positions);  ///< whether heads of this size can be turned
void check_warmup(const RunConfig& config, std::int64_t steps);  ///< warmup within the steps

/// Fills in what was left to the task (the zeros and -1 above), now that the number of steps is
/// known. A settled configuration is what config.json holds: it says everything. Throws ConfigError
/// for a warm-up longer than the run.
void settle_common(RunConfig& config, std::int64_t steps, std::int64_t eval_every);

/// What the width of a transformer must be a multiple of.
std::int64_t heads_granularity(const RunConfig& config, const std::string& positions);
}  // namespace weft::train
