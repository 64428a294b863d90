// Detect: a model that finds digits in scenes.
#pragma once

#include <memory>
#include <optional>

#include "train/loop/trainer.h"
#include "train/metrics/average_precision.h"
#include "train/tasks/detect/detect_model.h"

namespace weft::train {

class DetectTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  DetectTask(const DetectConfig& config, std::shared_ptr<const data::DetectionData> scenes);

  nn::Module& model() override { return *model_; }
  std::string unit() const override { return "images"; }
  void start(std::int64_t number) override;
  Tensor next_loss(BatchRecord& seen) override;
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  std::string data_json() const override { return facts_.to_json(); }
  bool same_data(const std::string& json) const override;
  std::string fingerprint() const override { return fingerprint_; }

 private:
  DetectConfig config_;
  std::shared_ptr<const data::DetectionData> scenes_;
  DetectionFacts facts_;
  std::unique_ptr<nn::Detector> model_;
  std::string fingerprint_;
  std::optional<data::BatchRange<data::SceneBatch>> batches_;
  std::optional<data::BatchRange<data::SceneBatch>::Iterator> next_;
};

/// What a model sees in the scenes of a split, and what is there; `loss`, if wanted, becomes the
/// mean over scenes.
std::vector<DetectedImage> evaluate_scenes(const nn::Detector& model,
                                           const data::DetectionData& scenes, data::Split split,
                                           const std::function<bool(double)>& proceed,
                                           double* loss = nullptr);

}  // namespace weft::train
