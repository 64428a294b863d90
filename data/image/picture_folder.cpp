#include "data/image/picture_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "core/io/file.h"
#include "core/parallel.h"
#include "core/phase.h"
#include "core/storage.h"
#include "data/image/picture.h"
#include "data/stratified.h"
#include "data/table/records.h"

namespace weft::data {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kDefaultSide = 64;  // of pictures whose sizes differ
constexpr std::int64_t kGrain = 16;        // pictures worth a task
constexpr std::size_t kMostClasses = 256;  // labels are bytes

struct Entry {
  std::string file;
  std::string label;
};

/// Files of the three splits, and what was passed over.
struct Listing {
  std::vector<Entry> splits[3];
  std::int64_t strays = 0;
  std::vector<std::string> notes{};
};

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// Pictures in the folders of classes below `folder`.
void list_classes(const fs::path& folder, std::vector<Entry>& to, Listing& listing) {
  for (const fs::path& entry : sorted_entries(folder)) {
    if (is_hidden(entry)) continue;
    if (!fs::is_directory(entry)) {
      ++listing.strays;
      continue;
    }
    std::int64_t count = 0;
    for (const fs::path& file : sorted_entries(entry)) {
      if (is_hidden(file)) continue;
      if (fs::is_directory(file) || !is_picture_name(file.string())) {
        ++listing.strays;
        continue;
      }
      to.push_back({file.string(), entry.filename().string()});
      ++count;
    }
    if (count == 0)
      fail<IoError>(entry.string(),
                    "is the folder of a class without a picture (.png, .jpg, .jpeg, .webp): fill "
                    "or remove it");
  }
}

/// What is known of each file before it is decoded, and its bytes no longer.
std::vector<PictureInfo> infos_of(const std::vector<Entry>& entries,
                                  std::vector<std::string>& errors) {
  const auto count = std::ssize(entries);
  std::vector<PictureInfo> infos(entries.size());
  errors.assign(entries.size(), "");
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      try {
        infos[at] = picture_info(entries[at].file);
      } catch (const Error& error) {
        errors[at] = error.what();
      }
    }
  });
  return infos;
}

/// Leaves out what cannot be read, or says so.
void drop_bad(std::vector<Entry>& entries, std::vector<PictureInfo>* infos,
              const std::vector<std::string>& errors, bool skip, std::vector<std::string>& notes) {
  std::vector<Entry> good;
  std::vector<PictureInfo> good_infos;
  std::int64_t bad = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (errors[i].empty()) {
      good.push_back(entries[i]);
      if (infos) good_infos.push_back((*infos)[i]);
      continue;
    }
    if (!skip) throw IoError(errors[i] + "; --skip-bad leaves such pictures out");
    if (++bad <= 3) notes.push_back("left out: " + errors[i]);
  }
  if (bad > 3)
    notes.push_back(fmt::format("left out: {} pictures more that cannot be read", bad - 3));
  entries = std::move(good);
  if (infos) *infos = std::move(good_infos);
}

LabeledPictures decode(std::vector<Entry>& entries, std::int64_t channels, std::int64_t height,
                       std::int64_t width, bool cut, const std::vector<std::string>& classes,
                       bool skip, std::vector<std::string>& notes) {
  if (entries.empty()) return {};
  const std::int64_t bytes = channels * height * width;
  const double needed = static_cast<double>(bytes) * static_cast<double>(entries.size());
  if (needed > 0.8 * static_cast<double>(memory_limit()))
    fail<ConfigError>("data",
                      "{} pictures of {} x {} x {} are {:.1f} GiB, more than the memory "
                      "there is: use a smaller --image-size",
                      entries.size(), channels, height, width, needed / (1 << 30));
  Tensor images = Tensor::empty({std::ssize(entries), channels, height, width}, DType::u8);
  std::vector<std::string> errors(entries.size());
  parallel_for(std::ssize(entries), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      try {
        Tensor picture = load_picture(entries[at].file, channels);
        if (cut) picture = resize_and_crop(picture, height);
        std::copy_n(picture.data<std::uint8_t>(), bytes, images.data<std::uint8_t>() + i * bytes);
      } catch (const Error& error) {
        errors[at] = error.what();
      }
    }
  });
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!errors[i].empty()) continue;
    auto* const pixels = images.data<std::uint8_t>();
    if (kept != static_cast<std::int64_t>(i))
      std::copy_n(pixels + static_cast<std::int64_t>(i) * bytes, bytes, pixels + kept * bytes);
    ++kept;
  }
  drop_bad(entries, nullptr, errors, skip, notes);
  Tensor labels = Tensor::empty({kept}, DType::u8);
  for (std::int64_t i = 0; i < kept; ++i) {
    const auto found = std::lower_bound(classes.begin(), classes.end(),
                                        entries[static_cast<std::size_t>(i)].label);
    labels.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(found - classes.begin());
  }
  return {kept == images.size(0) ? images : raw::clone(raw::slice(images, 0, 0, kept)), labels};
}

/// A tenth of each class for the test.
void keep_test(LabeledPictures& train, LabeledPictures& test) {
  const std::int64_t count = train.labels.numel();
  if (count < 10) return;
  const auto apart = draw_by_class(train.labels, count / 10);
  const std::set<std::int64_t> chosen(apart.begin(), apart.end());
  const std::int64_t bytes = train.images.numel() / count;
  Shape shape = train.images.shape();
  const auto part = [&](bool of_test, std::int64_t size) {
    shape[0] = size;
    LabeledPictures result{Tensor::empty(shape, DType::u8), Tensor::empty({size}, DType::u8)};
    std::int64_t next = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      if (chosen.contains(i) != of_test) continue;
      std::copy_n(train.images.data<std::uint8_t>() + i * bytes, bytes,
                  result.images.data<std::uint8_t>() + next * bytes);
      result.labels.data<std::uint8_t>()[next++] = train.labels.data<std::uint8_t>()[i];
    }
    return result;
  };
  test = part(true, std::ssize(apart));
  train = part(false, count - std::ssize(apart));
}

ImageSet read_listing(Listing listing, const std::string& path, const ImageSetOptions& options) {
  ImageSet set;
  set.notes = std::move(listing.notes);
  if (listing.strays > 0)
    set.notes.push_back(fmt::format("{}: passed over {} file{} that {} no picture", path,
                                    listing.strays, listing.strays == 1 ? "" : "s",
                                    listing.strays == 1 ? "is" : "are"));
  std::set<std::string> names;
  std::size_t all = 0;
  for (const auto& split : listing.splits) {
    all += split.size();
    for (const Entry& entry : split) names.insert(entry.label);
  }
  if (names.size() < 2)
    fail<IoError>(path,
                  "has pictures of {} class{}: a classifier needs two or more, a folder for "
                  "each",
                  names.size(), names.size() == 1 ? "" : "es");
  if (names.size() > kMostClasses)
    fail<IoError>(path, "has {} classes, and at most {} are read", names.size(), kMostClasses);
  set.class_names.assign(names.begin(), names.end());
  const Phase phase("reading {} pictures of {}", all, path);
  bool color = false, one_size = true;
  PictureInfo first;
  for (auto& split : listing.splits) {
    std::vector<std::string> errors;
    auto infos = infos_of(split, errors);
    drop_bad(split, &infos, errors, options.skip_bad, set.notes);
    for (const PictureInfo& info : infos) {
      if (first.height == 0) first = info;
      color = color || info.color;
      one_size = one_size && info.height == first.height && info.width == first.width;
    }
  }
  std::int64_t height = first.height, width = first.width;
  const bool cut = options.size > 0 || !one_size;
  if (cut) height = width = options.size > 0 ? options.size : kDefaultSide;
  if (!one_size && options.size == 0)
    set.notes.push_back(
        fmt::format("{}: pictures of several sizes are scaled and cut to {} x {}; "
                    "--image-size chooses another",
                    path, height, width));
  LabeledPictures* const parts[3] = {&set.train, &set.validation, &set.test};
  for (int k = 0; k < 3; ++k)
    *parts[k] = decode(listing.splits[k], color ? 3 : 1, height, width, cut, set.class_names,
                       options.skip_bad, set.notes);
  if (!set.train.labels.defined()) fail<IoError>(path, "has no training pictures");
  if (options.keep_test && !set.test.labels.defined() && !set.validation.labels.defined())
    keep_test(set.train, set.test);
  return set;
}

}  // namespace

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    all.push_back(at->path());
  if (error) fail<IoError>(folder.string(), "cannot be listed: {}", error.message());
  std::sort(all.begin(), all.end());
  return all;
}

ImageSet read_picture_folders(const std::string& path, const ImageSetOptions& options) {
  Listing listing;
  const fs::path root(path);
  std::error_code ignored;
  if (fs::is_directory(root / "train", ignored)) {
    list_classes(root / "train", listing.splits[0], listing);
    for (const char* name : {"val", "valid", "validation"})
      if (fs::is_directory(root / name, ignored))
        list_classes(root / name, listing.splits[1], listing);
    if (fs::is_directory(root / "test", ignored))
      list_classes(root / "test", listing.splits[2], listing);
  } else {
    list_classes(root, listing.splits[0], listing);
  }
  if (listing.splits[0].empty())
    fail<IoError>(path, "holds no images that are read; a set of images is {}", kLayouts);
  return read_listing(std::move(listing), path, options);
}

ImageSet read_picture_list(const std::string& path, const ImageSetOptions& options) {
  const Records list = Records::read(path, {.skip_bad = options.skip_bad});
  std::size_t file = Records::npos, label = Records::npos;
  for (const char* name : {"file", "filename", "path", "image"})
    if (file == Records::npos) file = list.find(name);
  for (const char* name : {"label", "class", "category"})
    if (label == Records::npos) label = list.find(name);
  if (!list.named() && list.columns() == 2) file = 0, label = 1;
  if (file == Records::npos || label == Records::npos)
    fail<IoError>(path, "needs the columns file and label; its columns are {}",
                  fmt::join(list.names(), ", "));
  Listing listing;
  for (std::int64_t row = 0; row < list.rows(); ++row) {
    const fs::path own{std::string(list.cell(row, file))};
    if (own.empty() || list.cell(row, label).empty())
      fail<IoError>(list.place(row), "needs a file and a label");
    listing.splits[0].push_back(
        {(own.is_absolute() ? own : fs::path(path).parent_path() / own).string(),
         std::string(list.cell(row, label))});
  }
  return read_listing(std::move(listing), path, options);
}

}  // namespace weft::data
