// Scenes: several digits of different sizes on one canvas, among clutter, with the boxes that frame
// them.
#pragma once

#include <cstdint>

#include "data/detection_data.h"
#include "data/image/image_dataset.h"

namespace weft::data {

struct SceneOptions {
  std::int64_t size = 96;  ///< side of the canvas
  std::int64_t min_digits = 1;
  std::int64_t max_digits = 6;
  std::int64_t min_side = 14;  ///< of a digit's longer side, in pixels
  std::int64_t max_side = 40;
  std::int64_t clutter = 8;  ///< at most so many scraps of digits
  double overlap = 0.15;     ///< of the smaller of two boxes, at most
  std::uint64_t seed =
      1;  ///< of the training scenes; those to validate and test on are the same for all seeds
  std::int64_t evaluation_scenes = 500;  ///< in each of these splits

  /// Throws ConfigError.
  void validate() const;
};

/// Training scenes are made of training digits, and there is no end of them; those to validate and
/// test on of the digits of these splits. Copies share the digits.
class SceneData final : public DetectionData {
 public:
  /// `digits` must have one channel. Throws ConfigError.
  SceneData(ImageData digits, const SceneOptions& options);

  std::int64_t side() const override { return options_.size; }
  std::int64_t most_boxes() const override { return options_.max_digits; }
  std::vector<std::string> classes() const override;
  std::int64_t size(Split split) const override {
    return split == Split::train ? 0 : options_.evaluation_scenes;
  }
  bool has_test() const override { return digits_.size(Split::test) > 0; }
  const Normalization& normalization() const override { return normalization_; }
  Edges edges() const override { return edges_; }
  std::uint64_t fingerprint(bool all = true) const override;
  Scene scene(Split split, std::int64_t number) const override;

 private:
  ImageData digits_;
  SceneOptions options_;
  Normalization normalization_;
  Edges edges_ = Edges::unknown;
};

}  // namespace weft::data
