#include "train/vision_task.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "train/config_sources.h"
#include "train/load_run.h"
#include "train/run_folder.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalImages = 250;  // a batch of an evaluation

}  // namespace

ImageFacts facts_of(const data::ImageData& data) {
  return {.channels = data.channels(), .height = data.height(), .width = data.width(), .classes = data.classes(), .normalization = data.normalization()};
}

VisionTask::VisionTask(const VisionConfig& config, data::ImageData data)
    : config_(config), data_(std::move(data)), facts_(facts_of(data_)), model_(build_model(config, facts_)),
      fingerprint_(fmt::format("{:016x}", data::batch_hash(data_.images(data::Split::train), data_.labels(data::Split::train)))) {}

data::ImageBatchOptions VisionTask::batch_options() const {
  data::ImageBatchOptions options;
  options.batch = config_.batch;
  options.epochs = config_.epochs;
  options.seed = static_cast<std::uint64_t>(config_.seed);
  options.augment = {.shift = static_cast<int>(config_.shift), .flip = config_.flip};
  options.prefetch.threads = num_threads() > 1 ? 1 : 0;
  return options;
}

void VisionTask::start(std::int64_t number) {
  data::ImageBatchOptions options = batch_options();
  options.first_step = number;
  next_.reset();
  batches_.emplace(data_.train_batches(options));
}

Tensor VisionTask::next_loss(std::int64_t& items) {
  if (!next_) next_.emplace(batches_->begin());
  else ++*next_;
  if (*next_ == batches_->end()) fail<IndexError>("train", "no more batches: the last epoch is over");
  const auto& [images, labels] = **next_;
  items += labels.numel();
  return cross_entropy((*model_)(images), labels, {.label_smoothing = config_.label_smoothing});
}

Evaluation VisionTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) { return evaluate_images(*model_, data_, split, proceed); }

Evaluation evaluate_images(const nn::Model& model, const data::ImageData& data, data::Split split, const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto batches = data.eval_batches(split, kEvalImages);
  double sum = 0;
  std::int64_t right = 0;
  std::int64_t done = 0;
  for (const auto& [images, labels] : batches) {
    if (!proceed(static_cast<double>(done++) / static_cast<double>(batches.size()))) break;
    const Tensor logits = model(images);
    sum += cross_entropy(logits, labels, {.reduction = Reduction::sum}).item();
    const auto guesses = argmax(logits).to_vector<std::int64_t>();
    const auto truths = labels.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < truths.size(); ++i) right += guesses[i] == truths[i] ? 1 : 0;
  }
  const double count = static_cast<double>(data.size(split));
  Evaluation evaluation;
  evaluation.loss = sum / count;
  evaluation.accuracy = static_cast<double>(right) / count;
  return evaluation;
}

namespace {

Summary run_vision(VisionConfig config, const RunOptions& options) {
  if (config.threads > 0) set_num_threads(static_cast<int>(config.threads));
  config.data = lasting_path(config.data);
  data::ImageData data = data::load_images(config.data, {.validation = config.validation});
  check_against_data(config, data.size(data::Split::train), data.height(), data.width(), data.channels(), data.classes());
  const std::int64_t per_epoch = data.batches_per_epoch({.batch = config.batch});
  const std::int64_t steps = per_epoch * config.epochs / config.accumulate;
  if (steps < 1) fail<ConfigError>("config", "accumulate is longer than the run: accumulate {}, {} batches", config.accumulate, per_epoch * config.epochs);
  settle(config, steps, per_epoch / config.accumulate);
  random::seed(static_cast<std::uint64_t>(config.seed));
  const bool has_test = data.size(data::Split::test) > 0;
  VisionTask task(config, std::move(data));
  const std::string json = to_json(config);
  const RunFolder folder = options.resume ? RunFolder::open(options.out) : RunFolder::create(options.out, json);
  return run_training(task, config, json, steps, has_test, folder, options);
}

}  // namespace

Summary train_vision(VisionConfig config, const RunOptions& options) {
  if (!options.resume) RunFolder::check_new(options.out);
  return run_vision(std::move(config), options);
}

Summary resume_run(const RunOptions& options, const std::string& expected_task, std::int64_t threads) {
  std::string json;
  std::string where;
  {
    const RunFolder folder = RunFolder::open(options.out);
    where = folder.config().string();
    json = folder.read_config();
  }
  const std::string task = task_of_json(json, where);
  if (task != expected_task) fail<ConfigError>(where, "is the configuration of a {} run; use `weft train {} --resume`", task, task);
  if (task == "text") {
    TextConfig config = text_from_json(json, where);
    if (threads > 0) config.threads = threads;
    return train_text(std::move(config), options);
  }
  VisionConfig config = vision_from_json(json, where);
  if (threads > 0) config.threads = threads;
  return train_vision(std::move(config), options);
}

}  // namespace weft::train
