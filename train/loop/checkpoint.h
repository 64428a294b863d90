// A checkpoint: everything that a run needs to go on to the same bits, or a model to be used, in
// one safetensors file. Tensors: parameters under their own names,
// `optimizer.<buffer>.<parameter>`, `ema.<parameter>`. Texts: what CheckpointFacts holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>

#include "core/io/safetensors.h"
#include "nn/module.h"
#include "optim/ema.h"
#include "optim/optimizer.h"
#include "train/loop/figures.h"

namespace weft::train {

/// How far a run has come.
struct Progress {
  std::int64_t step = 0;            ///< optimizer steps done
  std::int64_t items = 0;           ///< tokens or images seen
  double seconds = 0;               ///< of the whole run so far
  double train_seconds = 0;         ///< of these, in steps
  std::int64_t evaluated_step = 0;  ///< when `last` was measured; 0: never
  Evaluation last{};
  std::int64_t best_step = 0;  ///< 0: never evaluated
  double best_loss = std::numeric_limits<double>::infinity();
  bool reached_target = false;
  std::int64_t skipped = 0;  ///< steps without an update, for their loss or gradient was no number
  std::int64_t skipped_in_a_row = 0;  ///< of these, the last ones
  std::uint64_t batch_hash = 0;       ///< chained over all training batches
};

struct CheckpointFacts {
  std::string config;  ///< config.json of the run
  std::string data;    ///< JSON: the tokenizer of a text run, the ImageFacts of a vision run
  std::string data_fingerprint;
  Progress progress;
  std::int64_t optimizer_steps =
      0;  ///< updates that the optimizer has made: without steps that were left out
  std::int64_t ema_updates = 0;  ///< the same of the moving average
  std::uint64_t seed = 0;
  std::map<std::string, std::uint64_t> streams;  ///< positions of the random streams
};

/// Writes the file whole or not at all, with the counts that `optimizer` and `ema` have (those in
/// `facts` are for reading). `ema` may be null. Throws IoError.
void save_checkpoint(const std::filesystem::path& path, const CheckpointFacts& facts,
                     const nn::Module& model, const optim::Optimizer& optimizer,
                     const optim::Ema* ema);

/// The texts alone. Throws IoError for a file that is no whole safetensors file, ConfigError for
/// one that is no checkpoint.
CheckpointFacts read_checkpoint_facts(const std::filesystem::path& path);

/// Brings back model, optimizer and average, and nothing when something does not fit. Throws
/// IoError; ConfigError for a checkpoint of another model or optimizer.
CheckpointFacts load_checkpoint(const std::filesystem::path& path, nn::Module& model,
                                optim::Optimizer& optimizer, optim::Ema* ema);

/// The weights to use a model with: the moving average where the run kept one. Throws as
/// load_checkpoint().
void load_weights(const std::filesystem::path& path, nn::Module& model);

}  // namespace weft::train
