// The data of a run that is used: those that it learned from, or an error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/detection_data.h"
#include "data/image/image_dataset.h"
#include "data/recommend/clicks.h"
#include "data/text/text_dataset.h"
#include "train/load_run.h"

namespace weft::train {

struct DetectRun;
struct RecommendRun;

/// What Task::fingerprint() says of such data. `format`: of the run's configuration; before format
/// 3 a change of images that are only measured on was not noticed.
std::string fingerprint_of(const data::TextData& text);
std::string fingerprint_of(const data::ImageData& images, std::int64_t format);

/// The data that a run learned from, with its tokenizer or its normalization. Throws IoError where
/// they are not there, ConfigError where others are in their place.
data::TextData text_of_run(const TextRun& run, const CheckpointFacts& facts);
data::ImageData images_of_run(const VisionRun& run, const CheckpointFacts& facts);
std::shared_ptr<const data::DetectionData> scenes_of_run(const DetectRun& run,
                                                         const CheckpointFacts& facts);
data::ClickData clicks_of_run(const RecommendRun& run, const CheckpointFacts& facts);

}  // namespace weft::train
