// A vision run that is used: it names the class of a picture, and shows what it attends to.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/image/image_dataset.h"
#include "nn/models/vit.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/image_uses.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::train {

class VisionRun final : public LoadedRun, public ImagePredictor, public ImageAttention {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit VisionRun(const RunFacts& run);

  nn::Model& model() const { return *model_; }  ///< in evaluation mode
  nn::Description layers() const override;

  ImageGuess guess_file(const std::string& file, const std::string& invert) const override;
  ImageGuess guess_test_image(std::int64_t number) override;

  Grid attention_grid() const override;
  std::string model_line() const override;
  std::vector<Tensor> attention(const Tensor& images) const override;
  Picture picture(const std::string& file) const override { return load_picture(file, "auto"); }
  data::ImageData images() const override;

 private:
  Picture load_picture(const std::string& file, const std::string& invert) const;
  std::vector<double> classify(const Tensor& image) const;  ///< u8 (C, H, W) -> probabilities
  const nn::Vit& vit() const;  ///< Throws ConfigError `[explain] ...` for another model

  VisionConfig config_;
  ImageFacts images_;
  std::unique_ptr<nn::Model> model_;
  std::optional<data::ImageData> data_;  ///< once a test image was asked for
};

/// What Task::fingerprint() says of such data `format`: of the run's configuration;
/// before format 3 a change of images that are only measured on was not noticed.
std::string fingerprint_of(const data::ImageData& images, std::int64_t format);

}  // namespace weft::train
