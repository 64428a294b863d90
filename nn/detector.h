// Detector: a model that finds objects, and the feature maps that detectors read.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "nn/boxes.h"
#include "nn/module.h"

namespace weft::nn {

/// Base of FasterRcnn and Detr.
class Detector : public Module {
 public:
  using Module::Module;

  /// What training minimizes. Shape: images (B, channels, H, W), boxes (B, M, 5) with label, x0,
  /// y0, x1, y1 in a row, label -1 for none -> (). Throws: as box_targets(), ShapeError.
  virtual Tensor loss(const Tensor& images, const Tensor& boxes) const = 0;
  /// The objects of each image, by falling score; nothing is recorded. Call it in evaluation mode.
  /// (Under ShapeOnly none are found, and a forward is done that finds as many as can be.)
  virtual std::vector<std::vector<Detection>> detect(const Tensor& images) const = 0;
  /// Zeros of the shape that both want.
  virtual Tensor example_input(std::int64_t batch = 1) const = 0;
};

/// Base of what turns images into a map of features.
class Backbone : public Module {
 public:
  using Module::Module;

  /// Shape: (B, channels, H, W) -> (B, features(), H / stride(), W / stride()). Throws: ShapeError.
  virtual Tensor forward(const Tensor& images) const = 0;
  Tensor operator()(const Tensor& images) const { return forward(images); }
  virtual std::int64_t features() const = 0;  ///< of the map
  virtual std::int64_t stride() const = 0;    ///< pixels of the image per position
};

}  // namespace weft::nn
