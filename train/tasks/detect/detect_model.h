// A model that detect runs may choose: one file in train/tasks/detect/models/ and one line in
// train/tasks/detect/detect_models.cpp. And the scenes of such a run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/detection_data.h"
#include "nn/detector.h"
#include "train/config/block_options.h"
#include "train/loop/checkpoint.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/detect/detect_config.h"

namespace weft::train {

/// Side of the scenes.
constexpr std::int64_t kSceneSide = 96;

/// What a detector must know of its pictures.
struct DetectionFacts {
  ImageFacts images;
  std::vector<std::string> classes;

  std::string to_json() const;
  /// Throws ConfigError, `[where] ...`.
  static DetectionFacts from_json(const std::string& json, const std::string& where);
};

/// Scenes of digits, or a user's own pictures. Throws IoError, ConfigError.
std::shared_ptr<const data::DetectionData> load_scenes(const DetectConfig& config);
DetectionFacts facts_of(const data::DetectionData& scenes);

/// Throws ConfigError unless the width of this model is a multiple of 4.
void check_quarters(const std::string& model, std::int64_t width);

class DetectModel : public Entry {
 public:
  /// Weights are drawn from the stream `init` of this thread. Of a configuration whose model is
  /// this one, as all that follows.
  virtual std::unique_ptr<nn::Detector> build(const DetectConfig& config,
                                              const ImageFacts& images) const = 0;
  /// Most objects that it finds in a picture; 0: any number.
  virtual std::int64_t most_objects(const DetectConfig& /*config*/) const { return 0; }
};

template <class O>
using DetectModelOf = EntryOf<DetectModel, O>;

inline const DetectModel& model_of(const DetectConfig& config) {
  return static_cast<const DetectModel&>(config.model.entry());
}

/// Of the model that is chosen. Throws ConfigError.
std::unique_ptr<nn::Detector> build_detector(const DetectConfig& config, const ImageFacts& images);

}  // namespace weft::train
