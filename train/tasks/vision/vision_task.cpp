#include "train/tasks/vision/vision_task.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "core/error.h"
#include "core/math.h"
#include "core/parallel.h"
#include "data/image/augment.h"
#include "train/tasks/common/add_predictions.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/vision/vision_run.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalImages = 250;  // a batch of an evaluation

}  // namespace

ImageFacts facts_of(const data::ImageData& data) {
  return {.channels = data.channels(),
          .height = data.height(),
          .width = data.width(),
          .classes = data.classes(),
          .normalization = data.normalization(),
          .class_names = data.class_names(),
          .edges = data.edges()};
}

VisionTask::VisionTask(const VisionConfig& config, data::ImageData data,
                       const std::optional<ImageFacts>& learned)
    : config_(config),
      data_(std::move(data)),
      facts_(learned.value_or(facts_of(data_))),
      model_(build_model(config, facts_)),
      fingerprint_(fingerprint_of(data_, config.format)) {}

data::ImageBatchOptions VisionTask::batch_options() const {
  data::ImageBatchOptions options;
  options.batch = config_.batch;
  options.epochs = config_.epochs;
  options.seed = static_cast<std::uint64_t>(config_.seed);
  options.augment = {.shift = static_cast<int>(config_.shift),
                     .flip = config_.flip,
                     .least_crop = config_.least_crop,
                     .random_changes = static_cast<int>(config_.rand_augment),
                     .magnitude = static_cast<int>(config_.rand_magnitude),
                     .rotate = config_.rotate,
                     .jitter = config_.color_jitter,
                     .erase = config_.erase};
  options.prefetch.threads = num_threads() > 1 ? 1 : 0;
  return options;
}

bool VisionTask::same_data(const std::string& json) const {
  ImageFacts said = ImageFacts::from_json(json, "checkpoint");
  if (said.edges == data::Edges::unknown)
    said.edges = facts_.edges;  // earlier versions did not say
  return said.to_json() == facts_.to_json();
}

void VisionTask::start(std::int64_t number) {
  data::ImageBatchOptions options = batch_options();
  options.first_step = number;
  next_number_ = number;
  next_.reset();
  batches_.emplace(data_.train_batches(options));
}

Tensor VisionTask::next_loss(BatchRecord& seen) {
  if (!next_)
    next_.emplace(batches_->begin());
  else
    ++*next_;
  if (*next_ == batches_->end())
    fail<IndexError>("train", "no more batches: the last epoch is over");
  const auto& [images, labels] = **next_;
  const std::int64_t number = next_number_++;
  const CrossEntropyOptions options{.label_smoothing = config_.label_smoothing};
  if (config_.mixup == 0 && config_.cutmix == 0) {
    seen.add(labels.numel(), images, labels, labels.numel());
    return cross_entropy((*model_)(images), labels, options);
  }
  const data::Mixing mixing = data::mix_batch(images, config_.mixup, config_.cutmix,
                                              static_cast<std::uint64_t>(config_.seed), number);
  seen.add(labels.numel(), images, labels, labels.numel());
  const auto own = labels.to_vector<std::int64_t>();
  std::vector<std::int64_t> other;
  for (const std::int64_t partner : mixing.partner)
    other.push_back(own[static_cast<std::size_t>(partner)]);
  const Tensor logits = (*model_)(images);
  return cross_entropy(logits, labels, options) * mixing.share +
         cross_entropy(logits, Tensor::from(other, {labels.numel()}), options) * (1 - mixing.share);
}

double VisionTask::chance_loss() const { return math::log(static_cast<double>(facts_.classes)); }

Evaluation VisionTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  return evaluate_images(*model_, data_, split, proceed);
}

Evaluation evaluate_images(const nn::Model& model, const data::ImageData& data, data::Split split,
                           const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto batches = data.eval_batches(split, kEvalImages);
  double sum = 0;
  std::int64_t right = 0;
  std::int64_t done = 0;
  Predictions predictions;
  for (const auto& [images, labels] : batches) {
    if (!proceed(static_cast<double>(done++) / static_cast<double>(batches.size()))) break;
    const Tensor logits = model(images);
    sum += cross_entropy(logits, labels, {.reduction = Reduction::sum}).item();
    const auto guesses = argmax(logits).to_vector<std::int64_t>();
    const auto truths = labels.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < truths.size(); ++i) right += guesses[i] == truths[i] ? 1 : 0;
    if (split == data::Split::test) add_classes(predictions, logits, labels, guesses);
  }
  const double count = static_cast<double>(data.size(split));
  Evaluation evaluation{.measured = data.size(split)};
  evaluation.loss = sum / count;
  evaluation.figures = {{"accuracy", static_cast<double>(right) / count}};
  evaluation.predictions = std::move(predictions);
  return evaluation;
}

}  // namespace weft::train
