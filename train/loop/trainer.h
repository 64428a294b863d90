// The training loop: steps, evaluations, checkpoints, and what is told of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/tensor.h"
#include "data/split.h"
#include "nn/module.h"
#include "train/config/run_config.h"
#include "train/loop/checkpoint.h"

namespace weft::train {

/// One optimizer step, as metrics.jsonl holds it.
struct StepRecord {
  std::int64_t step = 0;   ///< steps done, this one included
  std::int64_t steps = 0;  ///< of the whole run
  double train_loss = 0;   ///< nats, mean over the step's batches
  double lr = 0;
  double grad_norm = 0;          ///< before clipping
  double seconds = 0;            ///< since the run began, in all its sessions
  double rate = 0;               ///< tokens or images a second, over the last steps
  double memory_mib = 0;         ///< most that tensors have held
  std::uint64_t batch_hash = 0;  ///< of all batches so far, in their order
  bool evaluated = false;
  Evaluation validation{};  ///< if so
};

/// Who wants to hear of a run while it goes on.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Before the first step: parameters, steps done before and in all, and the unit of the rate
  /// ("tokens", "images").
  virtual void on_start(std::int64_t parameters, std::int64_t first_step, std::int64_t steps,
                        const std::string& unit);
  virtual void on_step(const StepRecord& record);  ///< after each step
  /// During an evaluation: a share from 0 to 1.
  virtual void on_evaluating(double share);
  virtual void on_evaluation(const StepRecord& record);  ///< after each evaluation
  /// Something that whoever trains should know, in a sentence: a skipped step, a checkpoint that
  /// could not be saved.
  virtual void on_note(const std::string& text);
};

/// What a step has seen of the data.
struct BatchRecord {
  std::int64_t items = 0;
  std::int64_t counted = 0;  ///< targets of all batches: those that their losses are means over
  std::uint64_t hash = 0;  ///< chained over all batches of the run: two runs with the same hash saw
                           ///< the same batches in the same order

  /// A batch, and how many targets its loss is the mean over: what it weighs among the batches that
  /// are accumulated into one step.
  void add(std::int64_t more_items, const Tensor& inputs, const Tensor& targets,
           std::int64_t more_counted);
};

/// How many targets are none that is ignored (data::kIgnoreIndex).
std::int64_t count_targets(const Tensor& targets);

/// What is trained: a model, its batches, and how it is judged.
class Task {
 public:
  virtual ~Task() = default;
  virtual nn::Module& model() = 0;  ///< what is trained
  /// "tokens" or "images".
  virtual std::string unit() const = 0;
  /// The next call of next_loss() takes training batch `number`.
  virtual void start(std::int64_t number) = 0;
  /// The loss of the next training batch, attached to the graph; tells `seen` of every batch.
  virtual Tensor next_loss(BatchRecord& seen) = 0;
  /// The whole split, without gradients or dropout. `proceed(share done)` may end it early by
  /// returning false; the figures are then meaningless.
  virtual Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) = 0;
  /// Whether evaluations while training goes on look at a part of the validation split only:
  /// evaluate_sample().
  virtual bool samples() const { return false; }
  /// The same part of the validation split each time: what is compared from step to step, and what
  /// `best` is chosen by.
  virtual Evaluation evaluate_sample(const std::function<bool(double)>& proceed) {
    return evaluate(data::Split::validation, proceed);
  }
  /// Whether a run that samples measures the whole validation split once it is trained.
  virtual bool whole_at_end() const { return true; }
  /// The loss of whoever has learned nothing and says so: every answer is as likely, or of numbers
  /// the mean. NaN where a loss has no such level.
  virtual double chance_loss() const;
  /// JSON that building the model for use needs.
  virtual std::string data_json() const = 0;
  /// Whether `json`, from a checkpoint, says what data_json() does; an older one may say it
  /// otherwise.
  virtual bool same_data(const std::string& json) const { return json == data_json(); }
  /// Changes when the data do.
  virtual std::string fingerprint() const = 0;
};

struct RunOptions {
  std::filesystem::path out{};  ///< the run's folder
  bool resume = false;          ///< it is there, and its own configuration holds
  bool estimate = true;         ///< find out first whether a new run fits the memory
  bool test = true;             ///< look at the test split at the end, where there is one
  Observer* observer = nullptr;
  std::function<void()>
      prepared{};  ///< called when the data and the model are ready, before anything is written
  std::function<bool()> stop{};  ///< asked after every step: true saves and ends the run
  std::function<bool()>
      stop_within_step{};  ///< asked after every op, many times a second: true drops the step or
                           ///< evaluation that is under way; stop() must be true then
};

/// How a run ended, as summary.json says it.
struct Summary {
  bool interrupted =
      false;  ///< stopped before its end; then there are no test figures and no summary.json
  bool reached_target = false;
  std::int64_t skipped = 0;  ///< steps whose loss or gradient was no number, with on_nan = skip
  std::int64_t steps = 0;
  std::int64_t steps_wanted = 0;
  double seconds = 0;
  double train_seconds = 0;  ///< of these, in steps: without evaluations and checkpoints
  double rate = 0;           ///< tokens or images a second, in steps
  std::string unit;
  std::int64_t parameters = 0;
  double peak_mib = 0;  ///< of the whole process
  std::int64_t seed = 0;
  Evaluation validation;   ///< of the final weights
  Evaluation test;         ///< where there is a test split
  std::string batch_hash;  ///< of all training batches, as 16 hexadecimal digits
  std::string bits;        ///< run_bits() of a run that has ended
  double best_val_loss = 0;
  std::int64_t best_step = 0;
  std::int64_t sampled = 0;  ///< what evaluations before the end looked at, in `unit`, where that
                             ///< was a part of the validation split
  double chance_loss = 0;    ///< Task::chance_loss()
  std::filesystem::path folder;

  std::string to_json() const;  ///< as summary.json holds it
};

/// Why a loss is no better than that of who has learned nothing, in a sentence; empty where it is
/// better, or where the loss has no such level.
std::string above_chance(double loss, double chance);

/// Runs `task` from where `folder` stands to the end. `config` must be settled; `config_json` is
/// written with it. A loss or gradient that is no number throws NumericError with the step and the
/// op that made it (found by doing the step again, with every op watched), and the last checkpoint
/// stays; or, with on_nan = skip, the step is left out and counted. While the disk is full training
/// goes on and saving is tried again; at the end it throws DiskFullError, and the run can be
/// resumed.
class RunFolder;
/// Trains a task, or resumes it, in a run folder; the figures of its end.
Summary run_training(Task& task, const RunConfig& config, const std::string& config_json,
                     std::int64_t steps, bool has_test, const RunFolder& folder,
                     const RunOptions& options);

}  // namespace weft::train
