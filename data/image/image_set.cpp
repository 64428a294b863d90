#include "data/image/image_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "data/image/idx.h"
#include "data/image/picture.h"
#include "data/image/picture_folder.h"

namespace weft::data {
namespace fs = std::filesystem;
namespace {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// ---- IDX ----

/// The one IDX file of a split, of "images" or "labels"; empty where there is none.
fs::path idx_file(const std::vector<fs::path>& files, bool train, const std::string& what) {
  std::vector<fs::path> found;
  for (const fs::path& file : files) {
    const std::string name = lower_case(file.filename().string());
    const bool of_test =
        name.find("t10k") != std::string::npos || name.find("test") != std::string::npos;
    const bool of_train = name.find("train") != std::string::npos;
    if (name.find("idx") != std::string::npos && name.find(what) != std::string::npos &&
        (train ? of_train : of_test) && fs::is_regular_file(file))
      found.push_back(file);
  }
  // The same file, packed and not, is one.
  if (found.size() == 2 && found[1].string() == found[0].string() + ".gz") found.pop_back();
  if (found.size() > 1)
    fail<IoError>(found[0].parent_path().string(),
                  "holds several sets, such as {} and {}: put one into a folder of its own",
                  found[0].filename().string(), found[1].filename().string());
  return found.empty() ? fs::path() : found[0];
}

LabeledPictures read_idx_pair(const std::vector<fs::path>& files, bool train) {
  const fs::path images = idx_file(files, train, "images"),
                 labels = idx_file(files, train, "labels");
  if (images.empty() && labels.empty()) return {};
  if (images.empty() || labels.empty())
    fail<IoError>((images.empty() ? labels : images).string(),
                  "has no file of {} beside it, such as {}-{}",
                  images.empty() ? "images" : "labels", train ? "train" : "t10k",
                  images.empty() ? "images-idx3-ubyte" : "labels-idx1-ubyte");
  const bool colors = lower_case(images.filename().string()).find("idx4") != std::string::npos;
  Tensor pixels = read_idx(images.string(), colors ? 4 : 3);
  if (!colors) pixels = raw::reshape(pixels, {pixels.size(0), 1, pixels.size(1), pixels.size(2)});
  return {pixels, read_idx(labels.string(), 1)};
}

// ---- CIFAR's binary files: a label (of CIFAR-100 two), then 3 x 32 x 32 bytes ----

constexpr std::int64_t kCifarPixels = 3 * 32 * 32;

LabeledPictures read_cifar(const std::vector<fs::path>& files, std::int64_t labels_each) {
  std::string bytes;
  const std::int64_t record = kCifarPixels + labels_each;
  for (const fs::path& file : files) {
    const std::string part = read_file(file.string(), std::int64_t{1} << 31);
    if (part.empty() || std::ssize(part) % record != 0)
      fail<IoError>(file.string(), "has {} bytes, which are no whole records of {}: copy it again",
                    part.size(), record);
    bytes += part;
  }
  const std::int64_t count = std::ssize(bytes) / record;
  LabeledPictures pictures{Tensor::empty({count, 3, 32, 32}, DType::u8),
                           Tensor::empty({count}, DType::u8)};
  for (std::int64_t i = 0; i < count; ++i) {
    const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data()) + i * record;
    pictures.labels.data<std::uint8_t>()[i] = from[labels_each - 1];  // the fine one of two
    std::copy_n(from + labels_each, kCifarPixels,
                pictures.images.data<std::uint8_t>() + i * kCifarPixels);
  }
  return pictures;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

bool read_cifar_folder(const fs::path& folder, ImageSet& set) {
  std::vector<fs::path> train;
  for (const fs::path& file : sorted_entries(folder)) {
    const std::string name = file.filename().string();
    if (name.starts_with("data_batch_") && name.ends_with(".bin")) train.push_back(file);
  }
  std::error_code ignored;
  if (!train.empty()) {
    set.train = read_cifar(train, 1);
    if (fs::exists(folder / "test_batch.bin", ignored))
      set.test = read_cifar({folder / "test_batch.bin"}, 1);
    set.class_names = lines_of(folder / "batches.meta.txt");
    return true;
  }
  if (!fs::exists(folder / "train.bin", ignored)) return false;
  set.train = read_cifar({folder / "train.bin"}, 2);
  if (fs::exists(folder / "test.bin", ignored)) set.test = read_cifar({folder / "test.bin"}, 2);
  set.class_names = lines_of(folder / "fine_label_names.txt");
  return true;
}

/// Pictures that lie in one tensor, scaled and cut.
void resize_all(LabeledPictures& pictures, std::int64_t side) {
  const Tensor& from = pictures.images;
  if (!from.defined() || side == 0 || (from.size(2) == side && from.size(3) == side)) return;
  const std::int64_t count = from.size(0), channels = from.size(1);
  Tensor to = Tensor::empty({count, channels, side, side}, DType::u8);
  for (std::int64_t i = 0; i < count; ++i) {
    const Tensor one = resize_and_crop(raw::reshape(raw::contiguous(raw::slice(from, 0, i, i + 1)),
                                                    {channels, from.size(2), from.size(3)}),
                                       side);
    std::copy_n(one.data<std::uint8_t>(), one.numel(), to.data<std::uint8_t>() + i * one.numel());
  }
  pictures.images = to;
}

}  // namespace

ImageSet read_image_set(const std::string& path, const ImageSetOptions& options) {
  ImageSet set;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    const std::string name = lower_case(path);
    if (!name.ends_with(".csv") && !name.ends_with(".tsv"))
      fail<IoError>(path, "is not a folder: a set of images is {}", kLayouts);
    return read_picture_list(path, options);
  }
  const std::vector<fs::path> entries = sorted_entries(path);
  const auto in_one_tensor = [&] {
    for (LabeledPictures* part : {&set.train, &set.test}) resize_all(*part, options.size);
    return set;
  };
  set.train = read_idx_pair(entries, true);
  if (set.train.images.defined()) {
    set.test = read_idx_pair(entries, false);
    return in_one_tensor();
  }
  if (read_cifar_folder(path, set)) return in_one_tensor();
  for (const char* inside : {"cifar-10-batches-bin", "cifar-100-binary"})
    if (fs::is_directory(fs::path(path) / inside, ignored) &&
        read_cifar_folder(fs::path(path) / inside, set))
      return in_one_tensor();
  return read_picture_folders(path, options);
}

}  // namespace weft::data
