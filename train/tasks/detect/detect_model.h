// From the choices of a detect run to its scenes and its model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/detection_data.h"
#include "nn/detector.h"
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
/// Weights are drawn from the stream `init` of this thread. Throws ConfigError.
std::unique_ptr<nn::Detector> build_detector(const DetectConfig& config, const ImageFacts& images);

}  // namespace weft::train
