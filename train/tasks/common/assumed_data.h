// Models for data that are not there, of assumed sizes: weft info model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nn/model.h"
#include "train/config/run_config.h"

namespace weft::train {

struct AssumedData {
  std::int64_t vocabulary = 65;                                      ///< of texts
  std::int64_t channels = 1, height = 28, width = 28, classes = 10;  ///< of images
};

/// A kind that can build its models without data. It derives from this beside Kind.
class ModelsOfAssumedData {
 public:
  virtual ~ModelsOfAssumedData() = default;
  /// The model that the choice `model` of a configuration of this kind names.
  virtual std::unique_ptr<nn::Model> model_for(const RunConfig& config,
                                               const AssumedData& data) const = 0;
  /// Which sizes that takes, as flags of weft info model: "--vocabulary".
  virtual std::vector<std::string> sizes() const = 0;
  /// Choices of the run itself, beside the model's own, that the model is built with: a context.
  virtual std::vector<std::string> run_choices() const { return {}; }
};

}  // namespace weft::train
