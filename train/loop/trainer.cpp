#include "train/loop/trainer.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"
#include "core/io/file.h"
#include "core/memory_limits.h"
#include "data/split.h"
#include "train/loop/figures_json.h"
#include "train/loop/loop.h"
#include "train/loop/memory_estimate.h"
#include "train/loop/run_bits.h"
#include "train/loop/run_folder.h"

namespace weft::train {

void BatchRecord::add(std::int64_t more_items, const Tensor& inputs, const Tensor& targets,
                      std::int64_t more_counted) {
  items += more_items;
  counted += more_counted;
  hash = data::batch_hash(inputs, targets, hash);
}

std::int64_t count_targets(const Tensor& targets) {
  std::int64_t count = 0;
  for (const std::int64_t target : targets.to_vector<std::int64_t>())
    count += target != data::kIgnoreIndex ? 1 : 0;
  return count;
}

double Task::chance_loss() const { return std::numeric_limits<double>::quiet_NaN(); }

std::string above_chance(double loss, double chance) {
  if (!std::isfinite(chance) || !(loss > chance)) return "";
  return fmt::format(
      "the loss {:.4f} is worse than chance: a model that has learned nothing (every answer "
      "equally likely; of numbers: the mean) has {:.4f}; lower --lr, train longer, or inspect the "
      "data",
      loss, chance);
}

void Observer::on_start(std::int64_t, std::int64_t, std::int64_t, const std::string&) {}
void Observer::on_step(const StepRecord&) {}
void Observer::on_evaluating(double) {}
void Observer::on_evaluation(const StepRecord&) {}
void Observer::on_note(const std::string&) {}

std::string Summary::to_json() const {
  nlohmann::ordered_json json;
  json["format"] = 1;
  json["steps"] = steps;
  json["seconds"] = std::round(seconds * 1000) / 1000;
  json["train_seconds"] = std::round(train_seconds * 1000) / 1000;
  put(json, unit + "_per_s", std::round(rate * 10) / 10);
  json["params"] = parameters;
  json["peak_mib"] = std::round(peak_mib * 10) / 10;
  json["seed"] = seed;
  put_figures(json, "val_", validation);
  if (sampled > 0) json["val_" + unit] = validation.measured;
  put_figures(json, "test_", test);
  put(json, "best_val_loss", best_val_loss);
  json["best_step"] = best_step;
  if (sampled > 0) json["best_val_" + unit] = sampled;
  put(json, "chance_loss", chance_loss);
  if (!above_chance(validation.loss, chance_loss).empty()) json["above_chance"] = true;
  json["reached_target"] = reached_target;
  if (skipped > 0) json["skipped"] = skipped;
  json["batch_hash"] = batch_hash;
  if (!bits.empty()) json["bits"] = bits;
  return json.dump(2) + "\n";
}

Summary run_training(Task& task, const RunConfig& config, const std::string& config_json,
                     std::int64_t steps, bool has_test, const RunFolder& folder,
                     const RunOptions& options) {
  Loop loop(task, config, config_json, steps, folder, options);
  Summary summary;
  summary.interrupted = !loop.run();
  summary.validation = loop.progress().last;
  if (task.samples()) summary.sampled = summary.validation.measured;
  if (task.samples() && task.whole_at_end() && !summary.interrupted) {
    bool complete = false;
    const Evaluation whole = loop.evaluate(data::Split::validation, complete);
    if (complete) summary.validation = whole;
    summary.interrupted = !complete;
  }
  if (has_test && !summary.interrupted) {
    bool complete = false;
    summary.test = loop.evaluate(data::Split::test, complete);
    summary.interrupted = !complete;
    if (complete && !summary.test.predictions.empty())
      write_predictions(predictions_file(folder.path()), summary.test.predictions);
  }
  const Progress& progress = loop.progress();
  summary.reached_target = progress.reached_target;
  summary.skipped = progress.skipped;
  summary.steps = progress.step;
  summary.steps_wanted = steps;
  summary.seconds = progress.seconds;
  summary.train_seconds = progress.train_seconds;
  summary.rate =
      progress.train_seconds > 0 ? static_cast<double>(progress.items) / progress.train_seconds : 0;
  summary.unit = task.unit();
  summary.parameters = task.model().num_parameters();
  summary.peak_mib = process_peak_mib();
  summary.seed = config.seed;
  summary.batch_hash = data::hash_text(progress.batch_hash);
  summary.best_val_loss = progress.best_loss;
  summary.best_step = progress.best_step;
  summary.folder = folder.path();
  summary.chance_loss = task.chance_loss();
  const std::string warning = above_chance(summary.validation.loss, summary.chance_loss);
  if (!warning.empty() && !summary.interrupted && options.observer != nullptr)
    options.observer->on_note(warning);
  if (!summary.interrupted) summary.bits = run_bits(folder.path(), summary.to_json());
  std::error_code error;
  if (!summary.interrupted && !std::filesystem::exists(folder.summary(), error))
    write_file(folder.summary().string(), summary.to_json());
  return summary;
}

}  // namespace weft::train
