// Vision: a model that names the class of an image.
#pragma once

#include <memory>
#include <optional>

#include "data/image/image_dataset.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {

class VisionTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  /// `learned`: what a trained model was made for, where the images are others.
  VisionTask(const VisionConfig& config, data::ImageData data,
             const std::optional<ImageFacts>& learned = {});

  nn::Model& model() override { return *model_; }
  std::string unit() const override { return "images"; }
  void start(std::int64_t number) override;
  Tensor next_loss(BatchRecord& seen) override;
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  double chance_loss() const override;
  std::string data_json() const override { return facts_.to_json(); }
  bool same_data(const std::string& json) const override;
  std::string fingerprint() const override { return fingerprint_; }

 private:
  data::ImageBatchOptions batch_options() const;

  VisionConfig config_;
  data::ImageData data_;
  ImageFacts facts_;
  std::unique_ptr<nn::Model> model_;
  std::string fingerprint_;
  std::optional<data::BatchRange<data::ImageBatch>> batches_;
  std::optional<data::BatchRange<data::ImageBatch>::Iterator> next_;
  std::int64_t next_number_ = 0;
};

ImageFacts facts_of(const data::ImageData& data);
/// Loss and accuracy of a model over a whole split.
Evaluation evaluate_images(const nn::Model& model, const data::ImageData& data, data::Split split,
                           const std::function<bool(double)>& proceed);

}  // namespace weft::train
