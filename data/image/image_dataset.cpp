#include "data/image/image_dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "data/find_data_set.h"
#include "data/image/augment.h"
#include "data/stratified.h"

namespace weft::data {
namespace fs = std::filesystem;

/// The last few epochs' orders: every batch of an epoch needs the same one.
class ImageData::Orders {
 public:
  Tensor get(std::uint64_t seed, std::int64_t epoch, std::int64_t count) {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : entries_) {
      if (entry.order.defined() && entry.seed == seed && entry.epoch == epoch &&
          entry.order.numel() == count)
        return entry.order;
    }
    entries_[next_] = {seed, epoch,
                       Generator(seed, fmt::format("data.epoch.{}", epoch)).permutation(count)};
    return std::exchange(next_, 1 - next_) == 0 ? entries_[0].order : entries_[1].order;
  }

 private:
  struct Entry {
    std::uint64_t seed = 0;
    std::int64_t epoch = 0;
    Tensor order;
  };
  std::mutex mutex_;
  Entry entries_[2];
  int next_ = 0;
};

namespace {

constexpr std::int64_t kMaxBatch = std::int64_t{1} << 24;
constexpr std::int64_t kMostHeldOut = 5000;  // where the program is to choose

/// (N, H, W) as (N, 1, H, W).
Tensor with_channels(const Tensor& images, const std::string& where) {
  if (images.dtype() != DType::u8 || (images.rank() != 3 && images.rank() != 4)) {
    fail<IoError>(where, "images must be unsigned bytes (N, H, W) or (N, C, H, W), got {} {}",
                  name(images.dtype()), images.shape().str());
  }
  const auto& s = images.shape();
  const auto flat = raw::contiguous(images);
  return images.rank() == 3 ? raw::reshape(flat, {s[0], 1, s[1], s[2]}) : flat;
}

void check_labels(const Tensor& images, const Tensor& labels, const std::string& where,
                  std::string_view split) {
  if (labels.dtype() != DType::u8 || labels.rank() != 1)
    fail<IoError>(where, "labels must be unsigned bytes (N,), got {} {}", name(labels.dtype()),
                  labels.shape().str());
  if (labels.numel() != images.size(0))
    fail<IoError>(where, "{} {} images, but {} labels: the two files belong to different sets",
                  images.size(0), split, labels.numel());
}

std::int64_t max_label(const Tensor& labels) {
  if (labels.numel() == 0) return 0;
  const auto* first = labels.data<std::uint8_t>();
  return *std::max_element(first, first + labels.numel());
}

struct Move {
  std::int64_t dx = 0;
  std::int64_t dy = 0;
  bool flip = false;
};

Move draw_move(const Generator& stream, std::uint64_t place, const Augment& augment) {
  const auto words = stream.block(place);
  const auto within = [&](std::uint32_t word) {
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(word) *
                                      static_cast<std::uint64_t>(2 * augment.shift + 1)) >>
                                     32) -
           augment.shift;
  };
  return {within(words[0]), within(words[1]), augment.flip && (words[2] & 1U) != 0};
}

/// One plane: out[y][x] = table[in[y - dy][x - dx]], mirrored first if asked, background where that
/// lies outside.
void place_plane(const std::uint8_t* in, std::int64_t height, std::int64_t width, const Move& move,
                 const float* table, float* out) {
  for (std::int64_t y = 0; y < height; ++y, out += width) {
    const auto from_y = y - move.dy;
    if (from_y < 0 || from_y >= height) {
      std::fill(out, out + width, table[0]);
      continue;
    }
    const auto* row = in + from_y * width;
    const auto begin = std::clamp(move.dx, std::int64_t{0}, width);
    const auto end = std::clamp(width + move.dx, std::int64_t{0}, width);
    std::fill(out, out + begin, table[0]);
    std::fill(out + end, out + width, table[0]);
    if (move.flip) {
      for (auto x = begin; x < end; ++x) out[x] = table[row[width - 1 - (x - move.dx)]];
    } else {
      for (auto x = begin; x < end; ++x) out[x] = table[row[x - move.dx]];
    }
  }
}

/// These pictures and their labels, in this order; both contiguous.
std::pair<Tensor, Tensor> gather(const Tensor& images, const Tensor& labels,
                                 const std::vector<std::int64_t>& which) {
  auto shape = images.shape();
  const auto bytes = images.numel() / shape[0];
  shape[0] = std::ssize(which);
  std::pair<Tensor, Tensor> out{Tensor::empty(shape, DType::u8),
                                Tensor::empty({std::ssize(which)}, DType::u8)};
  auto* pixels = out.first.data<std::uint8_t>();
  auto* classes = out.second.data<std::uint8_t>();
  for (const auto from : which) {
    std::copy_n(images.data<std::uint8_t>() + from * bytes, bytes, pixels);
    pixels += bytes;
    *classes++ = labels.data<std::uint8_t>()[from];
  }
  return out;
}

/// Pictures that are kept apart of so many.
std::int64_t held_out_count(std::int64_t count, const ImageOptions& options,
                            const std::string& where) {
  if (options.validation != ImageOptions::kTenth) {
    if (options.validation < 0 || options.validation >= count)
      fail<ConfigError>("data",
                        "validation takes {} of {} training images: it must leave at least one to "
                        "train on, so choose 0 to {}",
                        options.validation, count, count - 1);
    return options.validation;
  }
  const auto tenth = std::max<std::int64_t>(1, count / 10);
  const bool plenty = options.held_out == HeldOut::last && count > kMostHeldOut;
  const auto validation = plenty ? kMostHeldOut : std::min(kMostHeldOut, tenth);
  if (validation >= count)
    fail<IoError>(where,
                  "{} training image is too few: at least 2 are needed, one of them to validate on",
                  count);
  return validation;
}

/// Puts the pictures `apart` (ascending) behind all others, in place; otherwise their order stays.
void move_to_end(const Tensor& images, const Tensor& labels,
                 const std::vector<std::int64_t>& apart) {
  const auto [held_images, held_labels] = gather(images, labels, apart);
  const auto count = labels.numel(), bytes = images.numel() / count;
  auto* pixels = images.data<std::uint8_t>();
  auto* classes = labels.data<std::uint8_t>();
  std::size_t next = 0;
  std::int64_t to = 0;
  for (std::int64_t from = 0; from < count; ++from) {
    if (next < apart.size() && apart[next] == from) {
      ++next;
      continue;
    }
    if (to != from) std::copy_n(pixels + from * bytes, bytes, pixels + to * bytes);
    classes[to++] = classes[from];
  }
  std::copy_n(held_images.data<std::uint8_t>(), held_images.numel(), pixels + to * bytes);
  std::copy_n(held_labels.data<std::uint8_t>(), held_labels.numel(), classes + to);
}

}  // namespace

ImageData::ImageData(Tensor train_images, Tensor train_labels, Tensor test_images,
                     Tensor test_labels, const ImageOptions& options, std::string where)
    : ImageData(ImageSet{.train = {std::move(train_images), std::move(train_labels)},
                         .validation = {},
                         .test = {std::move(test_images), std::move(test_labels)}},
                options, std::move(where)) {}

ImageData::ImageData(ImageSet set, const ImageOptions& options, std::string where)
    : where_(std::move(where)),
      orders_(std::make_shared<Orders>()),
      class_names_(std::move(set.class_names)),
      notes_(std::move(set.notes)) {
  const Tensor &train_images = set.train.images, &train_labels = set.train.labels,
               &test_images = set.test.images, &test_labels = set.test.labels;
  const auto all = with_channels(train_images, where_);
  check_labels(all, train_labels, where_, "train");
  if (all.numel() == 0)
    fail<IoError>(where_, "has no training images: their file holds {}", all.shape().str());
  if (all.size(1) > 4)
    fail<IoError>(where_,
                  "images (N, C, H, W) may have 1 to 4 channels, these have the shape {}; an idx4 "
                  "file holds the channels second",
                  all.shape().str());
  if (!(options.share > 0 && options.share <= 1))
    fail<ConfigError>("data",
                      "the fraction of training images must be above 0 and at most 1, got {}",
                      options.share);
  const auto labels = raw::contiguous(train_labels);
  hold_out(all, labels, set.validation, options);
  if (test_images.defined()) {
    images_[2] = with_channels(test_images, where_);
    check_labels(images_[2], test_labels, where_, "test");
    for (int d = 1; d < 4; ++d) {
      if (images_[2].size(d) != all.size(d)) {
        fail<IoError>(
            where_,
            "train images {} and test images {} differ in size or channels: bring them to one size",
            all.shape().str(), images_[2].shape().str());
      }
    }
    labels_[2] = raw::contiguous(test_labels);
  } else {
    images_[2] = Tensor::empty({0, all.size(1), all.size(2), all.size(3)}, DType::u8);
    labels_[2] = Tensor::empty({0}, DType::u8);
  }
  classes_ = 1 + std::max({max_label(labels), max_label(labels_[1]), max_label(labels_[2])});
  if (!class_names_.empty()) {
    if (std::ssize(class_names_) < classes_)
      fail<IoError>(where_, "names {} classes, and has labels up to {}", class_names_.size(),
                    classes_ - 1);
    classes_ = std::ssize(class_names_);
  }
  if (options.share < 1) keep_share(options.share, options.seed);
  edges_ = edges_of(images_[0]);
  if (options.shuffle_pixels)
    for (Tensor& images : images_) images = shuffle_pixels(images);
  normalization_ =
      options.normalization ? *options.normalization : Normalization::of_images(images_[0]);
}

void ImageData::hold_out(const Tensor& images, const Tensor& labels, const LabeledPictures& own,
                         const ImageOptions& options) {
  // A run that goes on knows how many validated.
  if (own.images.defined() &&
      (options.validation == ImageOptions::kTenth || options.validation == own.labels.numel())) {
    images_ = {images, with_channels(own.images, where_), Tensor()};
    labels_ = {labels, raw::contiguous(own.labels), Tensor()};
    check_labels(images_[1], labels_[1], where_, "validation");
    return;
  }
  const auto count = images.size(0), validation = held_out_count(count, options, where_),
             cut = count - validation;
  Tensor all_images = images, all_labels = labels;
  if (validation > 0 && options.held_out == HeldOut::stratified) {
    all_images = raw::clone(images);  // somebody else's
    all_labels = raw::clone(labels);
    move_to_end(all_images, all_labels, draw_by_class(labels, validation));
  }
  images_[0] = raw::slice(all_images, 0, 0, cut);
  images_[1] = raw::slice(all_images, 0, cut, count);
  labels_[0] = raw::slice(all_labels, 0, 0, cut);
  labels_[1] = raw::slice(all_labels, 0, cut, count);
}

void ImageData::keep_share(double share, std::uint64_t seed) {
  const auto count = size(Split::train);
  const auto kept =
      std::clamp<std::int64_t>(std::llround(share * static_cast<double>(count)), 1, count);
  auto chosen = Generator(seed, "data.share").permutation(count).to_vector<std::int64_t>();
  chosen.resize(static_cast<std::size_t>(kept));
  std::sort(chosen.begin(), chosen.end());
  std::tie(images_[0], labels_[0]) = gather(images_[0], labels_[0], chosen);
}

void ImageData::check(const ImageBatchOptions& options) const {
  if (options.batch < 1 || options.batch > kMaxBatch)
    fail<ConfigError>("data", "batch must lie in 1 .. {}, got {}", kMaxBatch, options.batch);
  if (options.drop_last && options.batch > size(Split::train)) {
    fail<ConfigError>("data", "batch {} with drop_last leaves nothing of {} training images",
                      options.batch, size(Split::train));
  }
  constexpr std::int64_t kMaxEpochs = 1'000'000'000;
  if (options.epochs < 0 || options.epochs > kMaxEpochs)
    fail<ConfigError>("data", "epochs must lie in 0 .. {}, got {}", kMaxEpochs, options.epochs);
  if (options.first_step < 0)
    fail<ConfigError>("data", "first_step must be at least 0, got {}", options.first_step);
  const auto side = std::min(height(), width());
  if (options.augment.shift < 0 || options.augment.shift >= side) {
    fail<ConfigError>("data", "shift must lie in 0 .. {} for {} x {} images, got {}", side - 1,
                      height(), width(), options.augment.shift);
  }
}

std::int64_t ImageData::batches_per_epoch(const ImageBatchOptions& options) const {
  check(options);
  const auto count = size(Split::train);
  return options.drop_last ? count / options.batch : (count + options.batch - 1) / options.batch;
}

ImageBatch ImageData::make_batch(Split split, const std::int64_t* order, std::int64_t first,
                                 std::int64_t rows, const ImageBatchOptions* augmented,
                                 std::int64_t epoch) const {
  const auto plane = height() * width();
  const auto table = normalization_.table();
  ImageBatch batch{Tensor::empty({rows, channels(), height(), width()}),
                   Tensor::empty({rows}, DType::i64)};
  if (rows == 0) return batch;
  const auto* pixels = images(split).data<std::uint8_t>();
  const auto* classes = labels(split).data<std::uint8_t>();
  const Generator stream(augmented != nullptr ? augmented->seed : 0, "augment");
  const Generator more(augmented != nullptr ? augmented->seed : 0, "augment.more");
  const Augment augment = augmented != nullptr ? augmented->augment : Augment();
  for (std::int64_t b = 0; b < rows; ++b) {
    const auto number = order != nullptr ? order[first + b] : first + b;
    const std::uint64_t place =
        static_cast<std::uint64_t>(epoch) * static_cast<std::uint64_t>(size(split)) +
        static_cast<std::uint64_t>(number);
    Move move;
    if (augment.shift > 0 || augment.flip) move = draw_move(stream, place, augment);
    Draws draws(more, place);
    const auto* picture = pixels + number * channels() * plane;
    Tensor changed;
    if (augment.changes_pictures()) {
      changed = augment_picture(raw::reshape(raw::slice(images(split), 0, number, number + 1),
                                             {channels(), height(), width()}),
                                augment, draws);
      picture = changed.data<std::uint8_t>();
    }
    float* const to = batch.images.data<float>() + b * channels() * plane;
    for (std::int64_t c = 0; c < channels(); ++c)
      place_plane(picture + c * plane, height(), width(), move, table.data() + 256 * c,
                  to + c * plane);
    const Erased erased = draw_erased(height(), width(), augment.erase, draws);
    for (std::int64_t c = 0; c < channels(); ++c)
      for (std::int64_t row = erased.top; row < erased.top + erased.height; ++row)
        std::fill_n(to + c * plane + row * width() + erased.left, erased.width, 0.0f);
    batch.labels.data<std::int64_t>()[b] = classes[number];
  }
  return batch;
}

ImageBatch ImageData::train_batch(std::int64_t epoch, std::int64_t index,
                                  const ImageBatchOptions& options) const {
  const auto batches = batches_per_epoch(options);
  if (epoch < 0 || index < 0 || index >= batches)
    fail<IndexError>("data", "batch {} of epoch {} does not exist: an epoch has {}", index, epoch,
                     batches);
  const auto count = size(Split::train);
  const auto order = orders_->get(options.seed, epoch, count);
  const auto first = index * options.batch;
  return make_batch(Split::train, order.data<std::int64_t>(), first,
                    std::min(options.batch, count - first), &options, epoch);
}

BatchRange<ImageBatch> ImageData::train_batches(const ImageBatchOptions& options) const {
  const auto batches = batches_per_epoch(options);
  const auto make = [data = *this, options, batches](std::int64_t k) {
    return data.train_batch(k / batches, k % batches, options);
  };
  return {make, options.first_step, options.epochs * batches, options.prefetch};
}

BatchRange<ImageBatch> ImageData::eval_batches(Split split, std::int64_t batch) const {
  check({.batch = batch});
  const auto count = size(split);
  const auto batches = (count + batch - 1) / batch;
  const auto make = [data = *this, split, batches, count](std::int64_t k) {
    const auto first = k * count / batches;
    return data.make_batch(split, nullptr, first, (k + 1) * count / batches - first, nullptr, 0);
  };
  return {make, 0, batches, {.threads = 1, .ahead = 2}};
}

namespace {

/// Labels by the order of other names.
void take_order(ImageSet& set, const std::vector<std::string>& order, const std::string& path) {
  if (order.empty() || set.class_names.empty() || set.class_names == order) return;
  std::array<std::uint8_t, 256> number{};
  for (std::size_t i = 0; i < set.class_names.size(); ++i) {
    const auto found = std::find(order.begin(), order.end(), set.class_names[i]);
    if (found == order.end())
      fail<ConfigError>(path, "has the class {}, which the run does not know: its classes are {}",
                        set.class_names[i], fmt::join(order, ", "));
    number[i] = static_cast<std::uint8_t>(found - order.begin());
  }
  for (const LabeledPictures* part : {&set.train, &set.validation, &set.test})
    for (std::int64_t i = 0; part->labels.defined() && i < part->labels.numel(); ++i) {
      auto& label = part->labels.data<std::uint8_t>()[i];
      label = number[label];
    }
  set.class_names = order;
}

}  // namespace

ImageData load_images(std::string_view name_or_path, const ImageOptions& options) {
  const std::string path = find_data_set(name_or_path);
  ImageSet set = read_image_set(
      path,
      {.size = options.image_size, .skip_bad = options.skip_bad, .keep_test = options.keep_test});
  take_order(set, options.class_order, path);
  LabeledPictures& train = set.train;
  ImageOptions rest = options;
  const bool fit = train.images.numel() > 0 && train.labels.numel() == train.images.size(0) &&
                   !set.validation.images.defined();     // else the constructor says what is wrong
  if (fit && options.held_out == HeldOut::stratified) {  // in place, because nobody else has them:
                                                         // a large set need not fit twice
    rest.validation = held_out_count(train.images.size(0), options, path);
    rest.held_out = HeldOut::last;
    if (rest.validation > 0)
      move_to_end(train.images, train.labels, draw_by_class(train.labels, rest.validation));
  }
  return {std::move(set), rest, path};
}

}  // namespace weft::data
