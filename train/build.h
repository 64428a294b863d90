// From a configuration to the model, the optimizer and the schedule that it describes.
#pragma once

#include <memory>
#include <variant>

#include "data/image/transform.h"
#include "data/text/tokenizer.h"
#include "nn/models/cnn.h"
#include "nn/models/gpt.h"
#include "nn/models/mlp.h"
#include "nn/models/vit.h"
#include "optim/lr_schedule.h"
#include "optim/optimizer.h"
#include "train/config.h"

namespace weft::train {

/// What a vision model must know of its images.
struct ImageFacts {
  std::int64_t channels = 1;
  std::int64_t height = 28;
  std::int64_t width = 28;
  std::int64_t classes = 10;
  data::Normalization normalization{};

  std::string to_json() const;
  /// Throws ConfigError, `[where] ...`.
  static ImageFacts from_json(const std::string& json, const std::string& where);
};

nn::GptConfig gpt_config(const TextConfig& config, std::int64_t vocabulary);
using VisionModelConfig = std::variant<nn::VitConfig, nn::MlpConfig, nn::CnnConfig>;
VisionModelConfig vision_model_config(const VisionConfig& config, const ImageFacts& images);
/// Weights are drawn from the stream `init` of this thread.
std::unique_ptr<nn::Model> build_model(const VisionConfig& config, const ImageFacts& images);

/// Muon takes the matrices inside the network, AdamW the embeddings, the head and everything that is no matrix.
std::unique_ptr<optim::Optimizer> build_optimizer(const RunConfig& config, const nn::Model& model);
optim::LrSchedule build_schedule(const RunConfig& config, std::int64_t steps);

}  // namespace weft::train
