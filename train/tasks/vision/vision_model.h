// A model that vision runs may choose: one file in train/tasks/vision/models/ and one line in
// train/tasks/vision/vision_models.cpp. And the images of such a run.
#pragma once

#include <memory>

#include "data/image/image_dataset.h"
#include "nn/model.h"
#include "train/config/block_options.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/vision/vision_config.h"

namespace weft::train {

class VisionModel : public Entry {
 public:
  /// Weights are drawn from the stream `init` of this thread. Of a configuration whose model is
  /// this one, as all that follows.
  virtual std::unique_ptr<nn::Model> build(const VisionConfig& config,
                                           const ImageFacts& images) const = 0;
  /// Throws ConfigError for images that the model cannot see.
  virtual void check_images(const VisionConfig& /*config*/, const ImageFacts& /*images*/) const {}
};

template <class O>
using VisionModelOf = EntryOf<VisionModel, O>;

/// Of the model that is chosen.
std::unique_ptr<nn::Model> build_model(const VisionConfig& config, const ImageFacts& images);

/// The images that a run is about, as it sees them; normalized as those that a trained model has
/// learned from, where that is given. With `validate` false no images are kept apart of the
/// training images. Throws IoError, ConfigError.
data::ImageData load_images(const VisionConfig& config,
                            const std::optional<ImageFacts>& learned = {}, bool validate = true);

/// What is known of the data only when it is there. Throws ConfigError: patch not dividing the
/// image.
void check_data(const VisionConfig& config, std::int64_t train_images, const ImageFacts& images);

}  // namespace weft::train
