#include "data/image/annotated_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "data/image/png.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMostListBytes = std::int64_t{1} << 28;
constexpr std::uint64_t kPictureSplitSeed = 1;  // of the fixed order: never the seed of a run
constexpr std::size_t kCells = 6;
constexpr std::string_view kHeader = "file,label,x0,y0,x1,y1";

struct BoxLine {
  std::string label;
  std::array<double, 4> box{};
  std::int64_t line = 0;
};

/// Boxes by picture; a picture without any has an empty list.
using BoxList = std::map<std::string, std::vector<BoxLine>>;

double coordinate(std::string_view cell, const std::string& where) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value))
    fail<IoError>(where, "\"{}\" is no number: a line is {}", cell.substr(0, 40), kHeader);
  return value;
}

void read_line(std::string_view line, std::int64_t number, const std::string& where, BoxList& list) {
  std::vector<std::string_view> cells;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find(',', begin), line.size());
    cells.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  if (cells.size() != kCells) fail<IoError>(where, "{} cells instead of {}: a line is {}", cells.size(), kCells, kHeader);
  const std::string file(cells[0]);
  if (file.empty()) fail<IoError>(where, "no name of a picture: a line is {}", kHeader);
  const std::filesystem::path path(file);
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end()) fail<IoError>(where, "pictures lie in the folder of the list; this one is {}", file);
  std::vector<BoxLine>& boxes = list[file];
  if (std::all_of(cells.begin() + 1, cells.end(), [](std::string_view cell) { return cell.empty(); })) return;
  if (cells[1].empty()) fail<IoError>(where, "a box without a label: a line is {}", kHeader);
  BoxLine box{.label = std::string(cells[1]), .line = number};
  for (std::size_t i = 0; i < 4; ++i) box.box[i] = coordinate(cells[i + 2], where);
  if (!(box.box[0] < box.box[2] && box.box[1] < box.box[3]))
    fail<ConfigError>(where, "the box has no area: ({}, {}, {}, {}); wants x0 < x1 and y0 < y1", box.box[0], box.box[1], box.box[2], box.box[3]);
  boxes.push_back(std::move(box));
}

BoxList read_list(const std::string& path) {
  const std::string all = read_file(path, kMostListBytes);
  for_each_code_point(all, path, [](char32_t, std::size_t) {});
  BoxList list;
  std::string_view text = skip_bom(all);
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line == kHeader)) continue;
    read_line(line, number, fmt::format("{}:{}", path, number), list);
  }
  return list;
}

/// The picture at its new size, and its boxes scaled with it.
Scene load_scene(const std::string& folder, const std::string& list, const std::string& file, const std::vector<BoxLine>& boxes, const std::vector<std::string>& classes,
                 std::int64_t side) {
  Tensor image = load_png((std::filesystem::path(folder) / file).string(), 1);
  const auto height = static_cast<double>(image.size(1)), width = static_cast<double>(image.size(2));
  std::vector<float> rows;
  for (const BoxLine& line : boxes) {
    const auto& [x0, y0, x1, y1] = line.box;
    if (x0 < 0 || y0 < 0 || x1 > width || y1 > height)
      fail<ConfigError>(fmt::format("{}:{}", list, line.line), "the box lies outside {}, which has {} x {} pixels: ({}, {}, {}, {})", file, width, height, x0, y0, x1, y1);
    const auto label = std::lower_bound(classes.begin(), classes.end(), line.label) - classes.begin();
    const double across = static_cast<double>(side) / width, down = static_cast<double>(side) / height;
    for (const double value : {static_cast<double>(label), x0 * across, y0 * down, x1 * across, y1 * down}) rows.push_back(static_cast<float>(value));
  }
  if (image.size(1) != side || image.size(2) != side) image = resize_images(image, side, side);
  return {.image = std::move(image), .boxes = Tensor::from(rows, {static_cast<std::int64_t>(boxes.size()), 5})};
}

}  // namespace

bool has_boxes(const std::string& folder) {
  std::error_code error;
  return std::filesystem::is_regular_file(std::filesystem::path(folder) / "boxes.csv", error);
}

AnnotatedImages::AnnotatedImages(const std::string& folder, const AnnotatedOptions& options) : options_(options) {
  if (options.side < 16 || options.side > kMaxPngSide) fail<ConfigError>("detection data", "side must be 16 to {}, got {}", kMaxPngSide, options.side);
  const std::string path = (std::filesystem::path(folder) / "boxes.csv").string();
  const BoxList list = read_list(path);
  if (list.size() < 3) fail<IoError>(path, "names {} pictures: it needs at least 3, one a split", list.size());
  std::set<std::string> labels;
  std::vector<const BoxList::value_type*> pictures;
  for (const auto& entry : list) {
    pictures.push_back(&entry);
    for (const BoxLine& box : entry.second) labels.insert(box.label);
    most_boxes_ = std::max<std::int64_t>(most_boxes_, std::ssize(entry.second));
  }
  if (labels.empty()) fail<IoError>(path, "there is no box in any picture");
  classes_.assign(labels.begin(), labels.end());

  const std::int64_t count = std::ssize(pictures), tenth = std::max<std::int64_t>(1, count / 10);
  const Tensor order = Generator(kPictureSplitSeed, "split").permutation(count);
  for (std::int64_t k = 0; k < count; ++k) {
    const auto& [file, boxes] = *pictures[static_cast<std::size_t>(order.data<std::int64_t>()[k])];
    const Split split = k < tenth ? Split::test : k < 2 * tenth ? Split::validation : Split::train;
    const Scene& scene = splits_[static_cast<int>(split)].emplace_back(load_scene(folder, path, file, boxes, classes_, options.side));
    fingerprint_ = batch_hash(scene.image, scene.boxes, fingerprint_);
  }
  const std::vector<Scene>& train = splits_[0];
  const Tensor images = Tensor::empty({std::ssize(train), 1, options.side, options.side}, DType::u8);
  for (std::int64_t i = 0; i < std::ssize(train); ++i) raw::slice(images, 0, i, i + 1).copy_from(train[static_cast<std::size_t>(i)].image);
  normalization_ = Normalization::of_images(images);
  edges_ = edges_of(images);
}

Scene AnnotatedImages::scene(Split split, std::int64_t number) const {
  const std::vector<Scene>& all = splits_[static_cast<int>(split)];
  const std::int64_t count = std::ssize(all);
  if (number < 0 || (split != Split::train && number >= count))
    fail<IndexError>("detection data", "{} picture {} does not exist: there are {}, counted from 0", name(split), number, count);
  if (split != Split::train) return all[static_cast<std::size_t>(number)];
  const Tensor order = Generator(options_.seed, fmt::format("pictures.{}", number / count)).permutation(count);  // of the epoch that the number falls in
  return all[static_cast<std::size_t>(order.data<std::int64_t>()[number % count])];
}

}  // namespace weft::data
