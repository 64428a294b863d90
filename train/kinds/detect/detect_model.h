// From the choices of a detect run to its scenes and its model.
#pragma once

#include <memory>

#include "data/synthetic/scenes.h"
#include "nn/detector.h"
#include "train/checkpoint.h"
#include "train/kinds/detect/detect_config.h"
#include "train/kinds/vision/vision_model.h"
#include "train/load_run.h"

namespace weft::train {

/// Side of the scenes.
constexpr std::int64_t kSceneSide = 96;

/// Throws IoError, ConfigError.
data::SceneData load_scenes(const DetectConfig& config);
ImageFacts facts_of(const data::SceneData& scenes);
/// Weights are drawn from the stream `init` of this thread. Throws ConfigError.
std::unique_ptr<nn::Detector> build_detector(const DetectConfig& config, const ImageFacts& images);

struct DetectRun {
  DetectConfig config;
  ImageFacts images;
  std::unique_ptr<nn::Detector> model;  ///< in evaluation mode
  Progress progress;
};

/// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a torn one.
DetectRun load_detect_run(const RunFacts& run);

}  // namespace weft::train
