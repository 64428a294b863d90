#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>

#include "autograd/autograd.h"
#include "autograd/op_observer.h"
#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/storage.h"
#include "optim/clip_grad.h"
#include "train/build.h"
#include "train/memory_estimate.h"
#include "train/run_folder.h"

namespace weft::train {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::int64_t kMostSkipped = 50;  // steps in a row

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void put(Json& json, const char* name, double value) {
  if (std::isfinite(value)) json[name] = value;
}

void put_figures(Json& json, const std::string& prefix, const Evaluation& evaluation) {
  put(json, (prefix + "loss").c_str(), evaluation.loss);
  for (const auto& [name, value] : evaluation.figures) put(json, (prefix + name).c_str(), value);
}

std::string to_line(const StepRecord& record, const std::string& unit) {
  Json json;
  json["step"] = record.step;
  put(json, "train_loss", record.train_loss);
  put(json, "lr", record.lr);
  put(json, "grad_norm", record.grad_norm);
  put(json, "seconds", std::round(record.seconds * 1000) / 1000);
  put(json, (unit + "_per_s").c_str(), std::round(record.rate * 10) / 10);
  put(json, "memory_mib", std::round(record.memory_mib * 10) / 10);
  if (record.evaluated) put_figures(json, "val_", record.validation);
  json["batch_hash"] = fmt::format("{:016x}", record.batch_hash);
  return json.dump();
}

bool reached(const Target& target, const Evaluation& evaluation) {
  if (target.figure.empty()) return false;
  const double value = evaluation.figure(target.figure);
  return find_figure(target.figure)->lower_is_better ? value <= target.value : value >= target.value;
}

/// One run in progress.
class Loop {
 public:
  Loop(Task& task, const RunConfig& config, std::string config_json, std::int64_t steps, const RunFolder& folder, const RunOptions& options)
      : task_(task), config_(config), config_json_(std::move(config_json)), steps_(steps), folder_(folder), options_(options),
        parameters_(task.model().named_parameters()), optimizer_(build_optimizer(config, task.model())), schedule_(build_schedule(config, steps)),
        target_(parse_target(config.until)) {
    // Runs of older formats averaged the weights alone, and go on so.
    if (config.ema > 0)
      ema_.emplace(parameters_, config.ema,
                   config.format < 3 ? optim::NamedTensors() : saved_buffers(task.model()));
    if (config.on_nan == "skip" || options.stop_within_step) {
      std::set<std::string> saved;
      for (const auto& [name, tensor] : task.model().state_dict()) saved.insert(name);
      for (const auto& [name, tensor] : task.model().named_buffers())
        if (saved.contains(name)) statistics_.push_back({tensor, {}});
    }
  }

  /// Whether the run came to its end.
  bool run();
  const Progress& progress() const { return progress_; }
  /// Judges the weights that are saved for use: the average where there is one.
  Evaluation evaluate(data::Split split, bool& complete);

 private:
  /// What a step's batches gave.
  struct Gradients {
    Seen seen{};
    double loss = 0;  ///< mean over the step's batches
    double norm = std::numeric_limits<double>::quiet_NaN();  ///< before clipping
  };

  void take_up();
  void trim(std::int64_t step);
  std::optional<StepRecord> step();
  Gradients gradients();
  std::string culprit(const std::map<std::string, std::uint64_t>& streams);
  void skip(std::int64_t number, const Gradients& found);
  bool save_or_note(const std::filesystem::path& path, bool must);
  void note(const std::string& text) const {
    if (options_.observer != nullptr) options_.observer->on_note(text);
  }
  bool look(StepRecord& record);
  void save(const std::filesystem::path& path);
  bool stop_wanted() const { return options_.stop && options_.stop(); }
  template <class F>
  bool unless_stopped(const F& f) const;
  bool finished() const { return progress_.step >= steps_ || progress_.reached_target; }
  std::string last_good() const;
  void tell_time() { progress_.seconds = seconds_before_ + seconds_since(begin_); }

  Task& task_;
  const RunConfig& config_;
  std::string config_json_;
  std::int64_t steps_;
  const RunFolder& folder_;
  const RunOptions& options_;
  optim::NamedTensors parameters_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  optim::LrSchedule schedule_;
  struct Statistic {
    Tensor now, before;
  };
  std::vector<Statistic> statistics_;  ///< what forward passes change (of batch norms), and what it was before the step, where steps may be left out
  Target target_;
  std::optional<optim::Ema> ema_;
  Progress progress_;
  std::int64_t saved_step_ = -1;
  std::optional<files::LineWriter> metrics_;
  bool disk_full_ = false;
  double recent_rate_ = 0;
  Clock::time_point begin_ = Clock::now();
  double seconds_before_ = 0;
};

void Loop::take_up() {
  std::error_code error;
  const bool saved = std::filesystem::exists(folder_.last(), error);
  if (error) fail<IoError>(folder_.last().string(), "cannot be looked at: {}", error.message());
  if (!saved) {
    trim(0);  // stopped before its first checkpoint: the same seed makes the same beginning
    return;
  }
  const CheckpointFacts facts = read_checkpoint_facts(folder_.last());
  if (facts.data_fingerprint != task_.fingerprint()) {
    fail<ConfigError>(folder_.last().string(), "the data have changed since this run began; put back what they were, or start a new run");
  }
  if (facts.progress.step > steps_) fail<ConfigError>(folder_.last().string(), "is at step {}, but the run ends at {}: it belongs to another run", facts.progress.step, steps_);
  load_checkpoint(folder_.last(), task_.model(), *optimizer_, ema_ ? &*ema_ : nullptr);
  progress_ = facts.progress;
  random::restore(facts.seed, facts.streams);
  seconds_before_ = progress_.seconds;
  saved_step_ = progress_.step;
  trim(progress_.step);
}

void Loop::trim(std::int64_t step) {
  if (folder_.trim_metrics(step)) note("metrics.jsonl ended in half a line, which is dropped: the run was killed while it wrote");
}

std::string Loop::last_good() const {
  if (saved_step_ < 0) return "no checkpoint had been saved";
  return fmt::format("{} holds step {}", folder_.last().string(), saved_step_);
}

/// Forward and backward of all batches of a step. Throws NumericError only in anomaly mode.
Loop::Gradients Loop::gradients() {
  Gradients found{.seen = {.hash = progress_.batch_hash}};
  const double share = 1.0 / static_cast<double>(config_.accumulate);
  optimizer_->zero_grad();
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    const Tensor loss = task_.next_loss(found.seen);
    found.loss += loss.item() * share;
    if (!std::isfinite(found.loss)) return found;
    if (config_.accumulate == 1) loss.backward();
    else loss.backward(Tensor::full(loss.shape(), share, loss.dtype()));
  }
  found.norm = config_.clip > 0 ? optim::clip_grad_norm(parameters_, config_.clip) : optim::grad_norm(parameters_);
  return found;
}

/// What made a step's loss or gradient no number: the step is done again, with every op watched.
std::string Loop::culprit(const std::map<std::string, std::uint64_t>& streams) {
  for (const auto& [name, tensor] : parameters_) {
    const std::vector<double> values = tensor.to_vector<double>();
    if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) return fmt::format("the weight {} holds it before the step", name);
  }
  random::restore(random::current_seed(), streams);
  task_.start(progress_.step * config_.accumulate);
  try {
    const AnomalyMode watch;
    gradients();
  } catch (const NumericError& error) {
    return error.what();
  }
  return "no op made it: it came with the batch, or is a sum of numbers that are too large";
}

/// Does f(), of which nothing is kept if it has to stop in the middle: false.
template <class F>
bool Loop::unless_stopped(const F& f) const {
  struct Stopped {};
  std::optional<OpObserver> watch;
  if (options_.stop_within_step) {
    watch.emplace([&](const char*, bool) {
      if (options_.stop_within_step()) throw Stopped();
    });
  }
  try {
    f();
    return true;
  } catch (const Stopped&) {
    return false;
  }
}

/// Nothing where it was stopped in the middle: all is as it was before the step.
std::optional<StepRecord> Loop::step() {
  const auto begin = Clock::now();
  const std::int64_t number = progress_.step + 1;
  const double factor = schedule_.factor(progress_.step);
  optimizer_->set_lr_factor(factor);
  const std::map<std::string, std::uint64_t> streams = random::positions();
  for (Statistic& s : statistics_) s.before = raw::clone(s.now);
  Gradients found;
  if (!unless_stopped([&] { found = gradients(); })) {
    random::restore(random::current_seed(), streams);
    for (const Statistic& s : statistics_) s.now.copy_from(s.before);
    return std::nullopt;
  }
  const bool finite = std::isfinite(found.loss) && std::isfinite(found.norm);
  if (!finite && config_.on_nan == "stop") {
    const std::string what = std::isfinite(found.loss) ? fmt::format("gradient's norm is {}", found.norm) : fmt::format("loss is {}", found.loss);
    fail<NumericError>("train", "the {} at step {}: {}; lower --lr, use --clip 1, or leave such steps out with --on-nan skip; {}", what, number, culprit(streams), last_good());
  }
  if (finite) {
    optimizer_->step();
    if (ema_) ema_->update();
    progress_.skipped_in_a_row = 0;
  } else {
    skip(number, found);
  }

  const double took = seconds_since(begin);
  const double rate = static_cast<double>(found.seen.items) / took;
  recent_rate_ = recent_rate_ == 0 ? rate : 0.9 * recent_rate_ + 0.1 * rate;
  progress_.step = number;
  progress_.items += found.seen.items;
  progress_.batch_hash = found.seen.hash;
  progress_.train_seconds += took;
  tell_time();
  return StepRecord{.step = number,
          .steps = steps_,
          .train_loss = found.loss,
          .lr = config_.lr * factor,
          .grad_norm = found.norm,
          .seconds = progress_.seconds,
          .rate = recent_rate_,
          .memory_mib = static_cast<double>(memory_stats().peak) / kMiB,
          .batch_hash = found.seen.hash,
          .evaluated = false,
          .validation = {}};
}

/// Leaves a step out. A run in which nothing else happens is no training.
void Loop::skip(std::int64_t number, const Gradients& found) {
  ++progress_.skipped;
  for (const Statistic& s : statistics_) s.now.copy_from(s.before);
  if (++progress_.skipped_in_a_row >= kMostSkipped) {
    fail<NumericError>("train", "{} steps in a row were skipped, up to step {}, since their loss or gradient was no number: lower --lr; {}", kMostSkipped, number, last_good());
  }
  if (found.seen.items > 0 && config_.accumulate > 1) task_.start(number * config_.accumulate);  // the rest of its batches are left out too
  note(fmt::format("step {} is skipped: its {} is no number", number, std::isfinite(found.loss) ? "gradient" : "loss"));
}

Evaluation Loop::evaluate(data::Split split, bool& complete) {
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
  // Batches of an evaluation have other sizes than those of a step: what one has kept for reuse is of no use to the other.
  release_cached_memory();
  const auto back_to_training = [&] {
    if (ema_) ema_->swap();
    model.train();
    release_cached_memory();
  };
  Evaluation evaluation;
  try {
    complete = unless_stopped([&] { evaluation = task_.evaluate(split, proceed); }) && complete;
  } catch (...) {
    back_to_training();
    throw;
  }
  back_to_training();
  return evaluation;
}

/// An evaluation, and the best checkpoint if it is one. False when it was interrupted: a resumed run makes it again.
bool Loop::look(StepRecord& record) {
  bool complete = false;
  const Evaluation evaluation = evaluate(data::Split::validation, complete);
  if (!complete) return false;
  if (!std::isfinite(evaluation.loss)) fail<NumericError>("train", "the validation loss is {} at step {}; {}", evaluation.loss, progress_.step, last_good());
  tell_time();
  progress_.last = evaluation;
  progress_.evaluated_step = progress_.step;
  progress_.reached_target = reached(target_, evaluation);
  if (evaluation.loss < progress_.best_loss) {
    const auto best_before = std::pair(progress_.best_loss, progress_.best_step);
    progress_.best_loss = evaluation.loss;
    progress_.best_step = progress_.step;
    if (!save_or_note(folder_.best(), false)) std::tie(progress_.best_loss, progress_.best_step) = best_before;  // what the file holds
  }
  record.evaluated = true;
  record.validation = evaluation;
  record.seconds = progress_.seconds;
  record.memory_mib = static_cast<double>(memory_stats().peak) / kMiB;
  if (options_.observer != nullptr) options_.observer->on_evaluation(record);
  return true;
}

void Loop::save(const std::filesystem::path& path) {
  tell_time();
  CheckpointFacts facts;
  facts.config = config_json_;
  facts.data = task_.data_json();
  facts.data_fingerprint = task_.fingerprint();
  facts.progress = progress_;
  facts.seed = random::current_seed();
  facts.streams = random::positions();
  save_checkpoint(path, facts, task_.model(), *optimizer_, ema_ ? &*ema_ : nullptr);
}

/// Saves, or says that the disk is full: false; the checkpoint before stays as it is. No checkpoint is ahead of the metrics in their file.
bool Loop::save_or_note(const std::filesystem::path& path, bool must) {
  try {
    if (path == folder_.last()) metrics_->flush();
    save(path);
    if (path == folder_.last()) saved_step_ = progress_.step;
    if (disk_full_) note(fmt::format("there is room again: step {} is saved", progress_.step));
    disk_full_ = false;
    return true;
  } catch (const DiskFullError& error) {
    const bool by_limit = dynamic_cast<const FileLimitError*>(&error) != nullptr;
    const char* const why = by_limit ? "a file would be larger than `ulimit -f` allows" : "the disk is full";
    if (must) fail<DiskFullError>(path.string(), "{}: step {} is not saved, {}; {} and go on with --resume", why, progress_.step, last_good(), by_limit ? "raise that limit" : "make room");
    if (!disk_full_) note(fmt::format("{}: step {} is not saved, and training goes on; saving is tried again at the next checkpoint; {}", why, progress_.step, last_good()));
    disk_full_ = true;
    return false;
  }
}

bool Loop::run() {
  begin_ = Clock::now();
  reset_peak_memory();
  if (options_.resume) take_up();
  if (options_.observer != nullptr) options_.observer->on_start(task_.model().num_parameters(), progress_.step, steps_, task_.unit());
  const auto evaluation_due = [&] { return progress_.step > 0 && (progress_.step % config_.eval_every == 0 || progress_.step >= steps_); };
  const auto save_last = [&](bool must = false) { save_or_note(folder_.last(), must); };
  metrics_.emplace(folder_.metrics());
  task_.model().train();
  task_.start(progress_.step * config_.accumulate);

  if (progress_.evaluated_step != progress_.step && evaluation_due()) {  // it was interrupted in its evaluation
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    StepRecord record{.step = progress_.step, .steps = steps_, .train_loss = kUnknown, .lr = kUnknown, .grad_norm = kUnknown, .batch_hash = progress_.batch_hash};
    if (!look(record)) return false;
    metrics_->append(to_line(record, task_.unit()));
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
    metrics_->append(to_line(*record, task_.unit()));
    if (!looked || finished() || progress_.step % config_.save_every == 0) save_last(!looked || finished());
    if (!looked) return false;
  }
  return true;
}

}  // namespace

void Seen::add(std::int64_t more_items, const Tensor& inputs, const Tensor& targets) {
  items += more_items;
  hash = data::batch_hash(inputs, targets, hash);
}

void Observer::on_start(std::int64_t, std::int64_t, std::int64_t, const std::string&) {}
void Observer::on_step(const StepRecord&) {}
void Observer::on_evaluating(double) {}
void Observer::on_evaluation(const StepRecord&) {}
void Observer::on_note(const std::string&) {}

std::string Summary::to_json() const {
  Json json;
  json["format"] = 1;
  json["steps"] = steps;
  json["seconds"] = std::round(seconds * 1000) / 1000;
  put(json, (unit + "_per_s").c_str(), std::round(rate * 10) / 10);
  json["params"] = parameters;
  json["peak_mib"] = std::round(peak_mib * 10) / 10;
  json["seed"] = seed;
  put_figures(json, "val_", validation);
  put_figures(json, "test_", test);
  put(json, "best_val_loss", best_val_loss);
  json["best_step"] = best_step;
  json["reached_target"] = reached_target;
  if (skipped > 0) json["skipped"] = skipped;
  json["batch_hash"] = batch_hash;
  return json.dump(2) + "\n";
}

Summary run_training(Task& task, const RunConfig& config, const std::string& config_json, std::int64_t steps, bool has_test, const RunFolder& folder, const RunOptions& options) {
  Loop loop(task, config, config_json, steps, folder, options);
  Summary summary;
  summary.interrupted = !loop.run();
  if (has_test && !summary.interrupted) {
    bool complete = false;
    summary.test = loop.evaluate(data::Split::test, complete);
    summary.interrupted = !complete;
  }
  const Progress& progress = loop.progress();
  summary.reached_target = progress.reached_target;
  summary.skipped = progress.skipped;
  summary.steps = progress.step;
  summary.steps_wanted = steps;
  summary.seconds = progress.seconds;
  summary.rate = progress.train_seconds > 0 ? static_cast<double>(progress.items) / progress.train_seconds : 0;
  summary.unit = task.unit();
  summary.parameters = task.model().num_parameters();
  summary.peak_mib = process_peak_mib();
  summary.seed = config.seed;
  summary.validation = progress.last;
  summary.batch_hash = fmt::format("{:016x}", progress.batch_hash);
  summary.best_val_loss = progress.best_loss;
  summary.best_step = progress.best_step;
  summary.folder = folder.path();
  std::error_code error;
  if (!summary.interrupted && !std::filesystem::exists(folder.summary(), error)) write_file(folder.summary().string(), summary.to_json());
  return summary;
}

}  // namespace weft::train
