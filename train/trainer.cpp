#include "train/trainer.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/storage.h"
#include "optim/clip_grad.h"
#include "train/build.h"
#include "train/run_folder.h"

namespace weft::train {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double kMiB = 1024.0 * 1024.0;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void put(Json& json, const char* name, double value) {
  if (std::isfinite(value)) json[name] = value;
}

void put_figures(Json& json, const std::string& prefix, const Evaluation& evaluation) {
  put(json, (prefix + "loss").c_str(), evaluation.loss);
  for (const auto& [name, value] : evaluation.figures) put(json, (prefix + name).c_str(), value);
}

double process_peak_mib() {
  struct rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
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
    if (config.ema > 0) ema_.emplace(parameters_, config.ema);
  }

  /// Whether the run came to its end.
  bool run();
  const Progress& progress() const { return progress_; }
  /// Judges the weights that are saved for use: the average where there is one.
  Evaluation evaluate(data::Split split, bool& complete);

 private:
  void take_up();
  StepRecord step();
  bool look(StepRecord& record);
  void save(const std::filesystem::path& path);
  bool stop_wanted() const { return options_.stop && options_.stop(); }
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
  Target target_;
  std::optional<optim::Ema> ema_;
  Progress progress_;
  std::int64_t saved_step_ = -1;
  double recent_rate_ = 0;
  Clock::time_point begin_ = Clock::now();
  double seconds_before_ = 0;
};

void Loop::take_up() {
  std::error_code error;
  if (!std::filesystem::exists(folder_.last(), error)) {
    folder_.trim_metrics(0);  // stopped before its first checkpoint: the same seed makes the same beginning
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
  folder_.trim_metrics(progress_.step);
}

std::string Loop::last_good() const {
  if (saved_step_ < 0) return "no checkpoint had been saved";
  return fmt::format("{} holds step {}", folder_.last().string(), saved_step_);
}

StepRecord Loop::step() {
  const auto begin = Clock::now();
  const std::int64_t number = progress_.step + 1;
  const double factor = schedule_.factor(progress_.step);
  optimizer_->set_lr_factor(factor);
  optimizer_->zero_grad();
  const double share = 1.0 / static_cast<double>(config_.accumulate);
  double loss_sum = 0;
  Seen seen{.hash = progress_.batch_hash};
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    const Tensor loss = task_.next_loss(seen);
    loss_sum += loss.item();
    if (!std::isfinite(loss_sum)) {
      fail<NumericError>("train", "the loss is {} at step {}: lower --lr, or --clip 1; {}", loss_sum, number, last_good());
    }
    if (config_.accumulate == 1) loss.backward();
    else loss.backward(Tensor::full(loss.shape(), share, loss.dtype()));
  }
  const double norm = config_.clip > 0 ? optim::clip_grad_norm(parameters_, config_.clip) : optim::grad_norm(parameters_);
  if (!std::isfinite(norm)) {
    fail<NumericError>("train", "the gradient's norm is {} at step {}: lower --lr, or --clip 1; {}", norm, number, last_good());
  }
  optimizer_->step();
  if (ema_) ema_->update();

  const double took = seconds_since(begin);
  const double rate = static_cast<double>(seen.items) / took;
  recent_rate_ = recent_rate_ == 0 ? rate : 0.9 * recent_rate_ + 0.1 * rate;
  progress_.step = number;
  progress_.items += seen.items;
  progress_.batch_hash = seen.hash;
  progress_.train_seconds += took;
  tell_time();
  return {.step = number,
          .steps = steps_,
          .train_loss = loss_sum * share,
          .lr = config_.lr * factor,
          .grad_norm = norm,
          .seconds = progress_.seconds,
          .rate = recent_rate_,
          .memory_mib = static_cast<double>(memory_stats().peak) / kMiB,
          .batch_hash = seen.hash,
          .evaluated = false,
          .validation = {}};
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
  Evaluation evaluation;
  try {
    evaluation = task_.evaluate(split, proceed);
  } catch (...) {
    if (ema_) ema_->swap();
    model.train();
    throw;
  }
  if (ema_) ema_->swap();
  model.train();
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
    progress_.best_loss = evaluation.loss;
    progress_.best_step = progress_.step;
    save(folder_.best());
  }
  record.evaluated = true;
  record.validation = evaluation;
  record.seconds = progress_.seconds;
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

bool Loop::run() {
  begin_ = Clock::now();
  reset_peak_memory();
  if (options_.resume) take_up();
  if (options_.observer != nullptr) options_.observer->on_start(task_.model().num_parameters(), progress_.step, steps_, task_.unit());
  const auto evaluation_due = [&] { return progress_.step > 0 && (progress_.step % config_.eval_every == 0 || progress_.step >= steps_); };
  const auto save_last = [&] {
    save(folder_.last());
    saved_step_ = progress_.step;
  };
  files::LineWriter metrics(folder_.metrics());
  task_.model().train();
  task_.start(progress_.step * config_.accumulate);

  if (progress_.evaluated_step != progress_.step && evaluation_due()) {  // it was interrupted in its evaluation
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    StepRecord record{.step = progress_.step, .steps = steps_, .train_loss = kUnknown, .lr = kUnknown, .grad_norm = kUnknown, .batch_hash = progress_.batch_hash};
    if (!look(record)) return false;
    metrics.append(to_line(record, task_.unit()));
    save_last();
  }
  while (!finished()) {
    if (stop_wanted()) {
      save_last();
      return false;
    }
    StepRecord record = step();
    if (options_.observer != nullptr) options_.observer->on_step(record);
    const bool looked = !evaluation_due() || look(record);
    metrics.append(to_line(record, task_.unit()));
    if (!looked || finished() || progress_.step % config_.save_every == 0) save_last();
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

std::string Summary::to_json() const {
  Json json;
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
