// What a run is: every choice as plain data. Each kind of run (train/tasks/) adds its own to these;
// its table of fields says, once for each choice, its name (flag, TOML key and JSON key), its help
// and its limits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/config/options.h"

namespace weft::train {

/// Formats of config.json. 1: none was written. 2: `derived`. 3: validation images are drawn by
/// class; gradients are accumulated by targets; averages of weights (ema) hold the running
/// statistics of batch norms, too. 4: choices that another model or optimizer has are not written.
/// 5: bits do not depend on the CPU; `products`. 6: `steps` within epochs, `test_share`, and
/// `other_init`, by which comparisons have three splits, budgets of any length and placebos.
inline constexpr std::int64_t kConfigFormat = 6;
/// Runs of earlier formats had bits that depended on the CPU.
inline constexpr std::int64_t kFirstOfEqualBits = 5;

/// Choices of every kind: the model, the optimizer, and when to look and to save.
struct RunConfig {
  virtual ~RunConfig() = default;

  RunConfig();                                 ///< of a model without choices
  explicit RunConfig(const Registry& models);  ///< the first of these

  Chosen model;  ///< and its options

  // Optimization.
  std::int64_t batch = 12;
  std::int64_t accumulate = 1;
  double lr = 1e-3;
  Chosen optimizer;  ///< and its options
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
  bool other_init = false;
  std::int64_t threads = 0;       ///< 0: all cores
  std::string precision = "f32";  ///< of products: core/precision.h
  std::string products = "own";   ///< of f32 matrices: core/products.h

  /// The format of config.json that the run was begun with. The rules that a format changed (how
  /// data are split and weighted) stay as they were for a run that is resumed, evaluated or used; a
  /// new run has the present ones.
  std::int64_t format = kConfigFormat;

  /// Names of choices that were left to the program, and that settling has filled in: a new run
  /// from this configuration leaves them to it again.
  std::vector<std::string> derived{};
};

/// Rules that every kind has, those of the model's options among them. Throws ConfigError naming
/// the first that is broken.
void check_common(const RunConfig& config);
void check_warmup(const RunConfig& config, std::int64_t steps);  ///< warmup within the steps

/// Fills in what was left to the task (the zeros and -1 above), now that the number of steps is
/// known. A settled configuration is what config.json holds: it says everything. Throws ConfigError
/// for a warm-up longer than the run.
void settle_common(RunConfig& config, std::int64_t steps, std::int64_t eval_every);

}  // namespace weft::train
