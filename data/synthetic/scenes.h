// Scenes: several digits of different sizes on one canvas, among clutter, with the boxes that frame them.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "data/image/image_dataset.h"

namespace weft::data {

struct SceneOptions {
  std::int64_t size = 96;        ///< side of the canvas
  std::int64_t min_digits = 1;
  std::int64_t max_digits = 6;
  std::int64_t min_side = 14;    ///< of a digit's longer side, in pixels
  std::int64_t max_side = 40;
  std::int64_t clutter = 8;      ///< at most so many scraps of digits
  double overlap = 0.15;         ///< of the smaller of two boxes, at most
  std::uint64_t seed = 1;        ///< of the training scenes; those to validate and test on are the same for all seeds
  std::int64_t evaluation_scenes = 500;  ///< in each of these splits

  /// Throws ConfigError.
  void validate() const;
};

/// image (1, size, size) u8; boxes (N, 5) f32 with label, x0, y0, x1, y1 in a row, in pixels: a box ends where its last pixel does.
struct Scene {
  Tensor image;
  Tensor boxes;
};

/// images (B, 1, size, size) f32, normalized; boxes (B, max_digits, 5), filled up with rows of label -1.
struct SceneBatch {
  Tensor images;
  Tensor boxes;
};

/// Training scenes are made of training digits, and there is no end of them; those to validate and test on of the digits of these splits. A scene
/// depends on (split, seed, its number) alone: the same bits everywhere. Copies share the digits. Safe to use from several threads.
class SceneData {
 public:
  /// `digits` must have one channel. Throws ConfigError.
  SceneData(ImageData digits, const SceneOptions& options);

  const SceneOptions& options() const { return options_; }
  std::int64_t classes() const { return digits_.classes(); }
  std::int64_t size(Split split) const { return split == Split::train ? 0 : options_.evaluation_scenes; }  ///< 0: endless
  const Normalization& normalization() const { return normalization_; }
  const ImageData& digits() const { return digits_; }

  /// Throws IndexError for a scene that is not there, ConfigError for a split without digits.
  Scene scene(Split split, std::int64_t number) const;
  SceneBatch batch(Split split, std::int64_t first, std::int64_t count) const;
  /// Batches first .. last - 1 of `batch` training scenes each. The range may outlive this object.
  BatchRange<SceneBatch> train_batches(std::int64_t batch, std::int64_t first, std::int64_t last, PrefetchOptions prefetch = {.threads = 1, .ahead = 2}) const;

 private:
  ImageData digits_;
  SceneOptions options_;
  Normalization normalization_;
};

}  // namespace weft::data
