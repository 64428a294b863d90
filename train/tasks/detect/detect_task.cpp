#include "train/tasks/detect/detect_task.h"

#include <algorithm>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/parallel.h"
#include "data/split.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalScenes = 20;  // a batch of an evaluation
constexpr std::int64_t kNoEnd = std::int64_t{1} << 40;

}  // namespace

DetectTask::DetectTask(const DetectConfig& config,
                       std::shared_ptr<const data::DetectionData> scenes)
    : config_(config),
      scenes_(std::move(scenes)),
      facts_(facts_of(*scenes_)),
      model_(build_detector(config, facts_.images)),
      fingerprint_(data::hash_text(scenes_->fingerprint(config.format >= 3))) {}

bool DetectTask::same_data(const std::string& json) const {
  DetectionFacts said = DetectionFacts::from_json(json, "checkpoint");
  if (said.images.edges == data::Edges::unknown)
    said.images.edges = facts_.images.edges;  // earlier versions did not say
  return said.to_json() == facts_.to_json();
}

void DetectTask::start(std::int64_t number) {
  next_.reset();
  batches_.emplace(data::train_batches(scenes_, config_.batch, number, kNoEnd,
                                       {.threads = num_threads() > 1 ? 1 : 0, .ahead = 2}));
}

Tensor DetectTask::next_loss(BatchRecord& seen) {
  if (!next_)
    next_.emplace(batches_->begin());
  else
    ++*next_;
  const auto& [images, boxes] = **next_;
  seen.add(images.size(0), images, boxes, images.size(0));
  return model_->loss(images, boxes);
}

std::vector<DetectedImage> evaluate_scenes(const nn::Detector& model,
                                           const data::DetectionData& scenes, data::Split split,
                                           const std::function<bool(double)>& proceed,
                                           double* loss) {
  const NoGrad no_grad;
  const std::int64_t count = scenes.size(split), side = scenes.side(),
                     classes = std::ssize(scenes.classes());
  std::vector<DetectedImage> seen;
  double total = 0;
  for (std::int64_t first = 0; first < count; first += kEvalScenes) {
    if (!proceed(static_cast<double>(first) / static_cast<double>(count))) break;
    const std::int64_t now = std::min(kEvalScenes, count - first);
    const data::SceneBatch batch = scenes.batch(split, first, now);
    if (loss != nullptr)
      total += model.loss(batch.images, batch.boxes).item() * static_cast<double>(now);
    auto found = model.detect(batch.images);
    auto there = nn::box_targets(batch.boxes, side, side, classes, "scenes");
    for (std::size_t i = 0; i < found.size(); ++i)
      seen.push_back({std::move(found[i]), std::move(there[i])});
  }
  if (loss != nullptr) *loss = total / static_cast<double>(count);
  return seen;
}

namespace {

/// An entry for each object and for each detection of a scene.
void add_boxes(Predictions& predictions, const std::vector<DetectedImage>& seen) {
  const auto add = [&](std::size_t scene, const nn::Box& box, std::int64_t label, double score,
                       bool object) {
    const std::pair<const char*, double> entries[] = {{"row", static_cast<double>(scene)},
                                                      {"object", object ? 1 : 0},
                                                      {"label", static_cast<double>(label)},
                                                      {"score", score},
                                                      {"x0", box.x0},
                                                      {"y0", box.y0},
                                                      {"x1", box.x1},
                                                      {"y1", box.y1}};
    for (const auto& [name, value] : entries) predictions[name].push_back(value);
  };
  for (std::size_t scene = 0; scene < seen.size(); ++scene) {
    for (const nn::BoxTarget& object : seen[scene].objects)
      add(scene, object.box, object.label, 0, true);
    for (const nn::Detection& found : seen[scene].detections)
      add(scene, found.box, found.label, found.score, false);
  }
}

}  // namespace

Evaluation DetectTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  if (split == data::Split::train)
    fail<ConfigError>("eval", "training scenes have no end: use --split validation or test");
  Evaluation evaluation{.measured = scenes_->size(split)};
  const auto seen = evaluate_scenes(*model_, *scenes_, split, proceed, &evaluation.loss);
  const MeanAveragePrecision precision = mean_average_precision(seen, facts_.images.classes);
  evaluation.figures = {{"map50", precision.at_50}, {"map", precision.at_50_95}};
  if (split == data::Split::test) add_boxes(evaluation.predictions, seen);
  return evaluation;
}

}  // namespace weft::train
