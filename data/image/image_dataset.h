// Labeled pictures as training data.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "data/image/image_set.h"
#include "data/image/transform.h"
#include "data/loader.h"
#include "data/split.h"

namespace weft::data {

/// images (B, C, H, W) f32, normalized; labels (B,) i64.
struct ImageBatch {
  Tensor images;
  Tensor labels;
};

struct ImageBatchOptions {
  std::int64_t batch = 128;
  std::int64_t epochs = 1;
  std::uint64_t seed = 1;
  Augment augment = {};
  bool drop_last = false;       ///< leaves out an epoch's last batch if it is not full
  std::int64_t first_step = 0;  ///< where to go on, counted in batches from the start of epoch 0
  PrefetchOptions prefetch = {.threads = 1, .ahead = 2};
};

/// Which pictures of the training set are kept apart to validate on.
enum class HeldOut : std::uint8_t {
  stratified,  ///< of each class its share, drawn in one fixed order: draw_by_class()
               ///< (data/stratified.h)
  last,        ///< the last ones, as runs had it up to format 2 of config.json
};

struct ImageOptions {
  std::int64_t validation = kTenth;  ///< pictures kept apart of the training set; 0 for none
  HeldOut held_out = HeldOut::stratified;
  double share =
      1;  ///< of what is left, so many pictures are trained on, drawn by `seed`; at least one
  std::uint64_t seed = 1;
  bool shuffle_pixels = false;  ///< shuffle_pixels() of every picture of all splits
  std::optional<Normalization> normalization{};  ///< default: that of the training split
  /// An earlier run's classes, by whose order labels are numbered where the set has names.
  std::vector<std::string> class_order{};
  std::int64_t image_size = 0;  ///< ImageSetOptions::size
  bool skip_bad = false;        ///< ImageSetOptions::skip_bad
  bool keep_test = true;        ///< ImageSetOptions::keep_test

  /// A tenth of the training set, at most 5,000. (Of `last`: 5,000, and a tenth only where there
  /// are not more.)
  static constexpr std::int64_t kTenth = -1;
};

/// Copies share the pixels. Everything is const and may be used from several threads at once.
class ImageData {
 public:
  /// images (N, C, H, W) u8, labels (N,) u8; the same for the test set, which may be undefined.
  /// `where` names the set in errors. Throws IoError when counts or sizes do not fit together,
  /// ConfigError when validation leaves nothing.
  ImageData(Tensor train_images, Tensor train_labels, Tensor test_images, Tensor test_labels,
            const ImageOptions& options, std::string where);

  /// The same of a set that was read; its own validation pictures validate, where it has them.
  ImageData(ImageSet set, const ImageOptions& options, std::string where);

  std::int64_t channels() const { return images_[0].size(1); }  ///< 1 or 3, or up to 4
  std::int64_t height() const { return images_[0].size(2); }    ///< in pixels
  std::int64_t width() const { return images_[0].size(3); }     ///< in pixels
  /// Largest label + 1.
  std::int64_t classes() const { return classes_; }
  /// By label; empty where labels are numbers.
  const std::vector<std::string>& class_names() const { return class_names_; }
  const std::vector<std::string>& notes() const { return notes_; }  ///< ImageSet::notes
  const std::string& source() const { return where_; }              ///< where the images are from
  std::int64_t size(Split split) const { return labels(split).numel(); }  ///< images of a split
  const Tensor& images(Split split) const {
    return images_[static_cast<int>(split)];
  }  ///< u8 (N, C, H, W)
  const Tensor& labels(Split split) const { return labels_[static_cast<int>(split)]; }  ///< u8 (N,)
  /// Of the training split, unless another was given.
  const Normalization& normalization() const { return normalization_; }
  /// Of the training split, before shuffle_pixels.
  Edges edges() const { return edges_; }

  std::int64_t batches_per_epoch(const ImageBatchOptions& options) const;  ///< batches of an epoch
  /// Batch `index` of an epoch: its pictures depend on (seed, epoch, index, B, the set's size)
  /// alone, a picture's shift and flip on (seed, epoch, its number in the set).
  ImageBatch train_batch(std::int64_t epoch, std::int64_t index,
                         const ImageBatchOptions& options) const;
  /// Every batch from first_step to the end of the last epoch: `for (auto [images, labels] :
  /// mnist.train_batches({.epochs = 5}))`. The range may outlive this object.
  BatchRange<ImageBatch> train_batches(const ImageBatchOptions& options = {}) const;
  /// The split in order, each picture once, unchanged, in batches of at most `batch` that differ by
  /// one picture at most.
  BatchRange<ImageBatch> eval_batches(Split split, std::int64_t batch) const;

 private:
  class Orders;

  void hold_out(const Tensor& images, const Tensor& labels, const LabeledPictures& own,
                const ImageOptions& options);
  void keep_share(double share, std::uint64_t seed);
  void check(const ImageBatchOptions& options) const;
  /// `rows` pictures: order[first ...] of the split, or first ... themselves without an order.
  ImageBatch make_batch(Split split, const std::int64_t* order, std::int64_t first,
                        std::int64_t rows, const ImageBatchOptions* augmented,
                        std::int64_t epoch) const;

  std::string where_;
  std::shared_ptr<Orders> orders_;
  std::array<Tensor, 3> images_;
  std::array<Tensor, 3> labels_;
  std::int64_t classes_ = 0;
  std::vector<std::string> class_names_;
  std::vector<std::string> notes_;
  Normalization normalization_;
  Edges edges_ = Edges::unknown;
};

/// Loads what read_image_set() reads, or a shipped set by name (`mnist`). Throws IoError,
/// ConfigError.
ImageData load_images(std::string_view name_or_path, const ImageOptions& options = {});

}  // namespace weft::data
