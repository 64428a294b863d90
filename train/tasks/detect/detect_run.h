// A detect run that is used: it finds objects in pictures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/tasks/common/image_uses.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/detect/detect_model.h"

namespace weft::train {

class DetectRun final : public LoadedRun, public ObjectDetector {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit DetectRun(const RunFacts& run);

  nn::Detector& model() const { return *model_; }  ///< in evaluation mode
  nn::Description layers() const override;

  SeenPicture look_at_file(const std::string& file, const std::string& invert) const override;
  SeenPicture look_at_scene(std::int64_t number) override;
  std::string class_name(std::int64_t label) const override {
    return facts_.classes.at(static_cast<std::size_t>(label));
  }
  Tensor draw(const SeenPicture& seen) const override;

 private:
  std::vector<nn::Detection> detect(const Tensor& pixels) const;

  DetectConfig config_;
  DetectionFacts facts_;
  std::unique_ptr<nn::Detector> model_;
  std::shared_ptr<const data::DetectionData> scenes_;  ///< once one was asked for
};

}  // namespace weft::train
