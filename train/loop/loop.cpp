#include "train/loop/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>
#include <tuple>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/io/file.h"
#include "core/random.h"
#include "core/storage.h"
#include "data/split.h"
#include "train/loop/build_optimizer.h"
#include "train/loop/figures.h"
#include "train/loop/figures_json.h"

namespace weft::train {
namespace {

using Json = nlohmann::ordered_json;

bool reached(const Target& target, const Evaluation& evaluation) {
  if (target.figure.empty()) return false;
  const double value = evaluation.figure(target.figure);
  return find_figure(target.figure)->lower_is_better ? value <= target.value
                                                     : value >= target.value;
}

}  // namespace

Loop::Loop(Task& task, const RunConfig& config, std::string config_json, std::int64_t steps,
           const RunFolder& folder, const RunOptions& options)
    : task_(task),
      config_(config),
      config_json_(std::move(config_json)),
      steps_(steps),
      folder_(folder),
      options_(options),
      parameters_(task.model().named_parameters()),
      optimizer_(build_optimizer(config, task.model())),
      schedule_(build_schedule(config, steps)),
      target_(parse_target(config.until)) {
  // Runs of older formats averaged the weights alone, and go on so.
  if (config.ema > 0)
    ema_.emplace(parameters_, config.ema,
                 config.format < 3 ? optim::NamedTensors() : saved_buffers(task.model()));
  if (config.on_nan == "skip" || options.stop_within_step)
    for (const auto& [name, tensor] : saved_buffers(task.model()))
      statistics_.push_back({tensor, {}});
}

void Loop::report_time() {
  progress_.seconds =
      seconds_before_ + std::chrono::duration<double>(Clock::now() - begin_).count();
}

void Loop::resume_or_start() {
  std::error_code error;
  const bool saved = std::filesystem::exists(folder_.last(), error);
  if (error) fail<IoError>(folder_.last().string(), "cannot be inspected: {}", error.message());
  if (!saved) {
    trim(0);  // stopped before its first checkpoint: the same seed makes the same beginning
    return;
  }
  const CheckpointFacts facts = read_checkpoint_facts(folder_.last());
  if (facts.data_fingerprint != task_.fingerprint()) {
    fail<ConfigError>(
        folder_.last().string(),
        "the data have changed since this run began; restore them, or start a new run");
  }
  if (facts.progress.step > steps_)
    fail<ConfigError>(folder_.last().string(),
                      "is at step {}, but the run ends at {}: it belongs to another run",
                      facts.progress.step, steps_);
  if (config_.format < kFirstOfEqualBits)
    note(
        "an earlier version of weft began this run, whose sums had an order of their CPU's: what "
        "follows "
        "is as right, but its last digits are not those of that version");
  load_checkpoint(folder_.last(), task_.model(), *optimizer_, ema_ ? &*ema_ : nullptr);
  progress_ = facts.progress;
  random::restore(facts.seed, facts.streams);
  seconds_before_ = progress_.seconds;
  saved_step_ = progress_.step;
  trim(progress_.step);
}

void Loop::trim(std::int64_t step) {
  if (folder_.trim_metrics(step))
    note(
        "metrics.jsonl ended with an incomplete line, which is dropped: the run was killed while "
        "writing");
}

std::string Loop::last_good() const {
  if (saved_step_ < 0) return "no checkpoint had been saved";
  return fmt::format("{} holds step {}", folder_.last().string(), saved_step_);
}

std::string Loop::to_line(const StepRecord& record) const {
  const std::string unit = task_.unit();
  Json json;
  json["step"] = record.step;
  put(json, "train_loss", record.train_loss);
  put(json, "lr", record.lr);
  put(json, "grad_norm", record.grad_norm);
  put(json, "seconds", std::round(record.seconds * 1000) / 1000);
  put(json, unit + "_per_s", std::round(record.rate * 10) / 10);
  put(json, "memory_mib", std::round(record.memory_mib * 10) / 10);
  if (record.evaluated) {
    put_figures(json, "val_", record.validation);
    if (task_.samples())
      json["val_" + unit] = record.validation.measured;  // of a part, how large it is
  }
  json["batch_hash"] = data::hash_text(record.batch_hash);
  return json.dump();
}

Evaluation Loop::evaluate(data::Split split, bool& complete) {
  return judge([&](const auto& proceed) { return task_.evaluate(split, proceed); }, complete);
}

Evaluation Loop::evaluate_validation(bool& complete) {
  return judge([&](const auto& proceed) { return task_.evaluate_sample(proceed); }, complete);
}

Evaluation Loop::judge(const std::function<Evaluation(const std::function<bool(double)>&)>& measure,
                       bool& complete) {
  const NoGrad no_grad;
  nn::Module& model = task_.model();
  model.eval();
  if (ema_) ema_->swap();
  complete = true;
  const auto proceed = [&](double share) {
    if (options_.observer != nullptr) options_.observer->on_evaluating(share);
    complete = !stop_wanted();
    return complete;
  };
  // Batches of an evaluation have other sizes than those of a step: what one has kept for reuse is
  // of no use to the other.
  release_cached_memory();
  const auto back_to_training = [&] {
    if (ema_) ema_->swap();
    model.train();
    release_cached_memory();
  };
  Evaluation evaluation;
  try {
    complete = unless_stopped([&] { evaluation = measure(proceed); }) && complete;
  } catch (...) {
    back_to_training();
    throw;
  }
  back_to_training();
  return evaluation;
}

/// An evaluation, and the best checkpoint if it is one. False when it was interrupted: a resumed
/// run makes it again.
bool Loop::look(StepRecord& record) {
  bool complete = false;
  const Evaluation evaluation = evaluate_validation(complete);
  if (!complete) return false;
  if (!std::isfinite(evaluation.loss))
    fail<NumericError>("train", "the validation loss is {} at step {}; {}", evaluation.loss,
                       progress_.step, last_good());
  report_time();
  progress_.last = evaluation;
  progress_.evaluated_step = progress_.step;
  progress_.reached_target = reached(target_, evaluation);
  if (evaluation.loss < progress_.best_loss) {
    const auto best_before = std::pair(progress_.best_loss, progress_.best_step);
    progress_.best_loss = evaluation.loss;
    progress_.best_step = progress_.step;
    if (!save_or_note(folder_.best(), false))
      std::tie(progress_.best_loss, progress_.best_step) = best_before;  // what the file holds
  }
  record.evaluated = true;
  record.validation = evaluation;
  record.seconds = progress_.seconds;
  record.memory_mib = static_cast<double>(memory_stats().peak) / kLoopMiB;
  if (options_.observer != nullptr) options_.observer->on_evaluation(record);
  return true;
}

void Loop::save(const std::filesystem::path& path) {
  report_time();
  CheckpointFacts facts;
  facts.config = config_json_;
  facts.data = task_.data_json();
  facts.data_fingerprint = task_.fingerprint();
  facts.progress = progress_;
  facts.seed = random::current_seed();
  facts.streams = random::positions();
  save_checkpoint(path, facts, task_.model(), *optimizer_, ema_ ? &*ema_ : nullptr);
}

/// Saves, or says that the disk is full: false; the checkpoint before stays as it is. No checkpoint
/// is ahead of the metrics in their file.
bool Loop::save_or_note(const std::filesystem::path& path, bool must) {
  try {
    if (path == folder_.last()) metrics_->flush();
    save(path);
    if (path == folder_.last()) saved_step_ = progress_.step;
    if (disk_full_) note(fmt::format("space is available again: step {} is saved", progress_.step));
    disk_full_ = false;
    return true;
  } catch (const DiskFullError& error) {
    const bool by_limit = dynamic_cast<const FileLimitError*>(&error) != nullptr;
    const char* const why =
        by_limit ? "a file would be larger than `ulimit -f` allows" : "the disk is full";
    if (must)
      fail<DiskFullError>(path.string(),
                          "{}: step {} is not saved, {}; {} and continue with --resume", why,
                          progress_.step, last_good(), by_limit ? "raise that limit" : "make room");
    if (!disk_full_)
      note(
          fmt::format("{}: step {} is not saved, and training continues; saving is tried again at "
                      "the next checkpoint; {}",
                      why, progress_.step, last_good()));
    disk_full_ = true;
    return false;
  }
}

bool Loop::run() {
  begin_ = Clock::now();
  reset_peak_memory();
  if (options_.resume) resume_or_start();
  if (options_.observer != nullptr)
    options_.observer->on_start(task_.model().num_parameters(), progress_.step, steps_,
                                task_.unit());
  const auto evaluation_due = [&] {
    return progress_.step > 0 &&
           (progress_.step % config_.eval_every == 0 || progress_.step >= steps_);
  };
  const auto save_last = [&](bool must = false) { save_or_note(folder_.last(), must); };
  metrics_.emplace(folder_.metrics());
  task_.model().train();
  task_.start(progress_.step * config_.accumulate);

  if (progress_.evaluated_step != progress_.step &&
      evaluation_due()) {  // it was interrupted in its evaluation
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    StepRecord record{.step = progress_.step,
                      .steps = steps_,
                      .train_loss = kUnknown,
                      .lr = kUnknown,
                      .grad_norm = kUnknown,
                      .batch_hash = progress_.batch_hash};
    if (!look(record)) return false;
    metrics_->append(to_line(record));
    save_last(finished());
  }
  while (!finished()) {
    if (stop_wanted()) {
      save_last(true);
      return false;
    }
    std::optional<StepRecord> record = step();
    if (!record) continue;
    if (options_.observer != nullptr) options_.observer->on_step(*record);
    const bool looked = !evaluation_due() || look(*record);
    metrics_->append(to_line(*record));
    if (!looked || finished() || progress_.step % config_.save_every == 0)
      save_last(!looked || finished());
    if (!looked) return false;
  }
  return true;
}

}  // namespace weft::train
