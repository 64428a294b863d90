// Pictures with boxes in them: what detectors are trained on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "data/image/transform.h"
#include "data/loader.h"
#include "data/split.h"

namespace weft::data {

/// image (1, size, size) u8; boxes (N, 5) f32 with label, x0, y0, x1, y1 in a row, in pixels: a box
/// ends where its last pixel does.
struct Scene {
  Tensor image;
  Tensor boxes;
};

/// images (B, 1, size, size) f32, normalized; boxes (B, most_boxes(), 5), filled up with rows of
/// label -1.
struct SceneBatch {
  Tensor images;
  Tensor boxes;
};

/// A scene depends on (split, the seed of the training scenes, its number) alone: the same bits
/// everywhere. Safe to use from several threads.
class DetectionData {
 public:
  virtual ~DetectionData() = default;

  virtual std::int64_t side() const = 0;                 ///< pictures are square
  virtual std::int64_t most_boxes() const = 0;           ///< of one picture
  virtual std::vector<std::string> classes() const = 0;  ///< names of the classes
  virtual std::int64_t size(
      Split split) const = 0;         ///< scenes; 0 of Split::train, which has no end
  virtual bool has_test() const = 0;  ///< whether there is a test split
  virtual const Normalization& normalization() const = 0;  ///< of the pixels
  virtual Edges edges() const = 0;                         ///< of the training pictures
  /// Tells data sets apart; with `all` also by what is only measured on.
  virtual std::uint64_t fingerprint(bool all = true) const = 0;
  /// What whoever trains on them should know, in sentences.
  virtual std::vector<std::string> notes() const { return {}; }
  /// Throws IndexError for a scene that is not there, ConfigError for a split without pictures.
  virtual Scene scene(Split split, std::int64_t number) const = 0;

  /// The scenes `first` .. `first + count - 1`.
  SceneBatch batch(Split split, std::int64_t first, std::int64_t count) const;
};

/// Batches first .. last - 1 of `batch` training scenes each. The range may outlive `data`'s owner.
BatchRange<SceneBatch> train_batches(const std::shared_ptr<const DetectionData>& data,
                                     std::int64_t batch, std::int64_t first, std::int64_t last,
                                     PrefetchOptions prefetch = {.threads = 1, .ahead = 2});

}  // namespace weft::data
