#include "data/image/annotated_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/io/file.h"
#include "core/random.h"
#include "data/image/picture.h"
#include "data/image/png.h"
#include "data/table/delimited.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMostListBytes = std::int64_t{1} << 28;
constexpr std::uint64_t kPictureSplitSeed = 1;  // of the fixed order: never the seed of a run
constexpr std::size_t kCells = 6;
constexpr std::size_t kLongestCell = 4096;
constexpr std::string_view kHeader = "file,label,x0,y0,x1,y1";

struct BoxLine {
  std::string label;
  std::array<double, 4> box{};
  std::int64_t line = 0;
};

/// Boxes by picture; a picture without any has an empty list.
using BoxList = std::map<std::string, std::vector<BoxLine>>;

const std::vector<Column>& box_columns() {
  static const std::vector<Column> columns = {
      {"file", {"filename", "file_name", "image", "path"}},
      {"label", {"class", "category", "name"}},
      {"x0", {"xmin", "x_min", "left", "x1"}},
      {"y0", {"ymin", "y_min", "top", "y1"}},
      {"x1", {"xmax", "x_max", "right", "x2"}},
      {"y1", {"ymax", "y_max", "bottom", "y2"}},
  };
  return columns;
}

/// A header of x1, y1, x2 and y2 calls the first corner what one of x0, y0, x1 and y1 calls the
/// last.
std::vector<Column> columns_of(const DelimitedReader& record) {
  std::vector<Column> columns = box_columns();
  const auto& fields = record.fields();
  const bool from_one = std::find(fields.begin(), fields.end(), "x2") != fields.end();
  if (from_one) {
    columns[4] = {"x2", {}};
    columns[5] = {"y2", {}};
    columns[2] = {"x1", {}};
    columns[3] = {"y1", {}};
  } else {
    columns[2].other_names.pop_back();
    columns[3].other_names.pop_back();
  }
  return columns;
}

void read_line(const DelimitedReader& record, const ColumnPlaces& places, BoxList& list) {
  const std::string where = record.place();
  const auto cell = [&](std::size_t k) { return record.fields()[places.places[k]]; };
  const std::string file(cell(0));
  if (file.empty()) fail<IoError>(where, "the file name is missing: a line is {}", kHeader);
  const std::filesystem::path path(file);
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end())
    fail<IoError>(where, "images must lie in the folder of the list; this one is {}",
                  shown_field(file));
  std::vector<BoxLine>& boxes = list[file];
  bool empty = true;
  for (std::size_t k = 1; k < kCells; ++k) empty = empty && cell(k).empty();
  if (empty) return;
  if (cell(1).empty()) fail<IoError>(where, "a box without a label: a line is {}", kHeader);
  BoxLine box{.label = std::string(cell(1)), .line = record.line()};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto value = field_number(cell(i + 2));
    if (!value)
      fail<IoError>(where, "\"{}\" is not a number: a line is {}", shown_field(cell(i + 2)),
                    kHeader);
    box.box[i] = *value;
  }
  const auto& [x0, y0, x1, y1] = box.box;
  if (!(x0 < x1 && y0 < y1))
    fail<ConfigError>(where, "the box has no area: ({}, {}, {}, {}); expects x0 < x1 and y0 < y1",
                      x0, y0, x1, y1);
  boxes.push_back(std::move(box));
}

BoxList read_list(const std::string& path, bool old_rules, std::vector<std::string>& notes) {
  const std::string all = read_file(path, kMostListBytes);
  DelimitedReader reader(
      all, path,
      {.separator = ',', .quotes = !old_rules, .trim = !old_rules, .longest_field = kLongestCell});
  ColumnPlaces places{.places = {0, 1, 2, 3, 4, 5}, .left_out = {}, .columns = kCells};
  BoxList list;
  for (bool first = true; reader.next(); first = false) {
    if (first && !old_rules) places = find_columns(reader, columns_of(reader), 2);
    if (first && old_rules)
      places.header = reader.fields().size() == kCells && reader.fields()[0] == "file" &&
                      reader.fields()[2] == "x0";
    if (first && places.header) continue;
    if (places.header)
      reader.check_columns(places.columns);
    else if (reader.fields().size() != kCells)
      fail<IoError>(reader.place(), "{} cells instead of {}: a line is {}", reader.fields().size(),
                    kCells, kHeader);
    read_line(reader, places, list);
  }
  if (auto note = left_out_note(path, places, box_columns()); !note.empty())
    notes.push_back(std::move(note));
  return list;
}

/// The picture at its new size, and its boxes scaled with it.
Scene load_scene(const std::string& folder, const std::string& list, const std::string& file,
                 const std::vector<BoxLine>& boxes, const std::vector<std::string>& classes,
                 std::int64_t side, bool old_rules) {
  Tensor image = load_picture((std::filesystem::path(folder) / file).string(), 1);
  const auto height = static_cast<double>(image.size(1)),
             width = static_cast<double>(image.size(2));
  std::vector<float> rows;
  for (const BoxLine& line : boxes) {
    const auto& [x0, y0, x1, y1] = line.box;
    if (x0 < 0 || y0 < 0 || x1 > width || y1 > height)
      fail<ConfigError>(fmt::format("{}:{}", list, line.line),
                        "the box lies outside {}, which has {} x {} pixels: ({}, {}, {}, {})", file,
                        width, height, x0, y0, x1, y1);
    const auto label =
        std::lower_bound(classes.begin(), classes.end(), line.label) - classes.begin();
    const double across = static_cast<double>(side) / width,
                 down = static_cast<double>(side) / height;
    for (const double value :
         {static_cast<double>(label), x0 * across, y0 * down, x1 * across, y1 * down})
      rows.push_back(static_cast<float>(value));
    // What is trained on are these 32-bit floats: what had an area in 64 bits may have none in
    // them.
    const float* const box = rows.data() + rows.size() - 4;
    if (!old_rules && !(box[0] < box[2] && box[1] < box[3]))
      fail<ConfigError>(fmt::format("{}:{}", list, line.line),
                        "the box has no area in 32-bit floats: ({}, {}, {}, {}) of {} is {:.3g} x "
                        "{:.3g} of the {} x {} pixels that the model sees",
                        x0, y0, x1, y1, file, box[2] - box[0], box[3] - box[1], side, side);
  }
  if (image.size(1) != side || image.size(2) != side) image = resize_images(image, side, side);
  return {.image = std::move(image),
          .boxes = Tensor::from(rows, {static_cast<std::int64_t>(boxes.size()), 5})};
}

}  // namespace

bool has_boxes(const std::string& folder) {
  std::error_code error;
  return std::filesystem::is_regular_file(std::filesystem::path(folder) / "boxes.csv", error);
}

AnnotatedImages::AnnotatedImages(const std::string& folder, const AnnotatedOptions& options)
    : options_(options) {
  if (options.side < 16 || options.side > kMaxPngSide)
    fail<ConfigError>("detection data", "side must be 16 to {}, got {}", kMaxPngSide, options.side);
  const std::string path = (std::filesystem::path(folder) / "boxes.csv").string();
  const BoxList list = read_list(path, options.old_rules, notes_);
  if (list.size() < 3)
    fail<IoError>(path, "names {} images: it needs at least 3, one per split", list.size());
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
    const Scene& scene = splits_[static_cast<int>(split)].emplace_back(
        load_scene(folder, path, file, boxes, classes_, options.side, options.old_rules));
    fingerprint_ = batch_hash(scene.image, scene.boxes, fingerprint_);
  }
  if (!options.old_rules) check_has_objects(path);
  const std::vector<Scene>& train = splits_[0];
  const Tensor images =
      Tensor::empty({std::ssize(train), 1, options.side, options.side}, DType::u8);
  for (std::int64_t i = 0; i < std::ssize(train); ++i)
    raw::slice(images, 0, i, i + 1).copy_from(train[static_cast<std::size_t>(i)].image);
  normalization_ = Normalization::of_images(images);
  edges_ = edges_of(images);
}

void AnnotatedImages::check_has_objects(const std::string& path) {
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const auto& all = splits_[static_cast<int>(split)];
    if (std::any_of(all.begin(), all.end(),
                    [](const Scene& scene) { return scene.boxes.size(0) > 0; }))
      continue;
    const std::string none =
        fmt::format("there is no box in the {} {} pictures", all.size(), name(split));
    if (split == Split::train) fail<ConfigError>(path, "{}: there is nothing to learn", none);
    notes_.push_back(fmt::format("{}: {}, so mAP says nothing of them", path, none));
  }
}

Scene AnnotatedImages::scene(Split split, std::int64_t number) const {
  const std::vector<Scene>& all = splits_[static_cast<int>(split)];
  const std::int64_t count = std::ssize(all);
  if (number < 0 || (split != Split::train && number >= count))
    fail<IndexError>("detection data", "{} picture {} does not exist: there are {}, counted from 0",
                     name(split), number, count);
  if (split != Split::train) return all[static_cast<std::size_t>(number)];
  const Tensor order = Generator(options_.seed, fmt::format("pictures.{}", number / count))
                           .permutation(count);  // of the epoch that the number falls in
  return all[static_cast<std::size_t>(order.data<std::int64_t>()[number % count])];
}

}  // namespace weft::data
