// From the choices of a vision run to its model.
#pragma once

#include <memory>
#include <variant>

#include "data/image/image_dataset.h"
#include "nn/models/cnn.h"
#include "nn/models/lenet.h"
#include "nn/models/mlp.h"
#include "nn/models/resnet.h"
#include "nn/models/vit.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/vision/vision_config.h"

namespace weft::train {

using VisionModelConfig =
    std::variant<nn::VitConfig, nn::MlpConfig, nn::CnnConfig, nn::LenetConfig, nn::ResnetConfig>;
VisionModelConfig vision_model_config(const VisionConfig& config, const ImageFacts& images);
/// Weights are drawn from the stream `init` of this thread.
std::unique_ptr<nn::Model> build_model(const VisionConfig& config, const ImageFacts& images);

/// The images that a run is about, as it sees them; normalized as those that a trained model has
/// learned from, where that is given. With `validate` false no images are kept apart of the
/// training images. Throws IoError, ConfigError.
data::ImageData load_images(const VisionConfig& config,
                            const std::optional<data::Normalization>& learned = {},
                            bool validate = true);

/// What is known of the data only when it is there. Throws ConfigError: patch not dividing the
/// image, or a run that memory cannot hold.
void check_data(const VisionConfig& config, std::int64_t train_images, std::int64_t height,
                std::int64_t width);

}  // namespace weft::train
